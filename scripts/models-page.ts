import { type ListedModel, listModels } from '../src/models/list-models.ts';
import { table } from './markdown.ts';

/** The reference page of models: what the catalogue says, in Markdown. */
export function renderModelsPage(): string {
  const models = listModels();
  const ofKind = (kind: ListedModel['batch']) => models.filter(({ batch }) => batch === kind);
  return `<!-- Made by scripts/generate-docs.ts from src/models/catalog/: change that, then run it. -->

# Models

What Quarry knows of Bedrock's models. \`quarry models\` prints the same, and \`quarry models --json\` all of it. AWS changes
these facts: each row tells of which day it is. A model that is not here is tried as it is, and the plan says so; \`force\` in
the [run input](run-input.md) (\`--force\`) tries what the catalogue refuses.

## With batch inference

Prices are dollars for a million tokens, in and out, in a job; on demand they are twice that. Where two are given, the
second one is that of a plain id or a profile of one geography, the first one that of \`global.\`.

${table(
  ['Model', 'model_id', 'Price in a job', 'Most tokens', 'Reads', 'JSON Schema', 'Thinking', 'Refuses'],
  ofKind('yes').map((model) => [
    model.name,
    idsInWords(model),
    priceInWords(model),
    model.max_tokens?.toLocaleString('en-US') ?? '',
    model.reads.join(', '),
    model.structured_output ? 'yes' : 'no',
    model.thinking === 'none' ? '' : model.thinking,
    model.refuses.join('; '),
  ]),
)}

## Where

Regions that take the plain id, and regions that take a profile.

${table(
  ['Model', 'Plain id in', 'Profile in'],
  ofKind('yes').map(({ name, plain_id_in, profile_in }) => [
    name,
    plain_id_in.join(' '),
    profile_in.join(' '),
  ]),
)}

## Without batch inference

${table(
  ['Model', 'Ids', 'Why'],
  ofKind('no').map(({ name, id, why }) => [name, `\`${id}\``, why ?? '']),
)}

## Sources

${table(
  ['Model', 'Read at', 'Day', 'Note'],
  models.map(({ name, source, date, note }) => [name, `<${source}>`, date, note ?? '']),
)}
`;
}

function idsInWords({ id, ids, route }: ListedModel): string {
  if (route === 'plain id') return `\`${id}\``;
  const profiles = ids.filter((each) => each !== id).map((each) => `\`${each.slice(0, -id.length)}\``);
  return `${profiles.join(', ')} before \`${id}\`${route === 'profile' ? '' : ', or nothing'}`;
}

function priceInWords({ batch_usd, batch_usd_regional }: ListedModel): string {
  return [batch_usd, batch_usd_regional]
    .flatMap((price) => (price === null ? [] : [`${round(price.input)} / ${round(price.output)}`]))
    .join('; ');
}

/** Without the dust of floating point. */
function round(dollars: number): number {
  return Number(dollars.toPrecision(6));
}
