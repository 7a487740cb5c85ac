import type { ModelFacts } from './model-facts.ts';
import { batchPrice, byPlainId, LISTED, SEVEN_REGIONS, TEN_REGIONS, THIRTEEN_REGIONS } from './row-parts.ts';

type Row = Pick<ModelFacts, 'id' | 'name'> & { in: string } & Partial<ModelFacts>;

/** Mistral AI's models, all by their plain id. */
export const MISTRAL_MODELS: readonly ModelFacts[] = [
  row({
    id: 'mistral.mistral-large-2407-v1:0',
    name: 'Mistral Large (24.07)',
    in: 'us-west-2',
    structuredOutput: false,
  }),
  row({
    id: 'mistral.mistral-small-2402-v1:0',
    name: 'Mistral Small (24.02)',
    in: 'us-east-1',
    structuredOutput: false,
  }),
  row({
    id: 'mistral.mistral-large-3-675b-instruct',
    name: 'Mistral Large 3',
    in: SEVEN_REGIONS,
    reads: ['image'],
    price: batchPrice(0.25, 0.75),
  }),
  row({
    id: 'mistral.ministral-3-3b-instruct',
    name: 'Ministral 3 3B',
    in: SEVEN_REGIONS,
    reads: ['image'],
  }),
  row({
    id: 'mistral.ministral-3-8b-instruct',
    name: 'Ministral 3 8B',
    in: TEN_REGIONS,
    reads: ['image'],
    price: batchPrice(0.07, 0.07),
  }),
  row({
    id: 'mistral.ministral-3-14b-instruct',
    name: 'Ministral 3 14B',
    in: TEN_REGIONS,
    reads: ['image'],
    price: batchPrice(0.1, 0.1),
  }),
  row({ id: 'mistral.magistral-small-2509', name: 'Magistral Small 2509', in: SEVEN_REGIONS }),
  row({
    id: 'mistral.devstral-2-123b',
    name: 'Devstral 2 123B',
    in: THIRTEEN_REGIONS,
  }),
  row({ id: 'mistral.voxtral-mini-3b-2507', name: 'Voxtral Mini 3B', in: TEN_REGIONS, reads: ['audio'] }),
  row({ id: 'mistral.voxtral-small-24b-2507', name: 'Voxtral Small 24B', in: TEN_REGIONS, reads: ['audio'] }),
];

/** A row, with what nearly all of them have; structured output as models.dev had it on 2026-07-02. */
function row({ in: names, ...facts }: Row): ModelFacts {
  return {
    body: 'chat-completions',
    output: 'text',
    reads: [],
    batch: byPlainId(names),
    structuredOutput: true,
    thinking: 'none',
    refuses: {},
    ...LISTED,
    ...facts,
  };
}
