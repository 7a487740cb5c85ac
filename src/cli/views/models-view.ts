import type { ListedModel } from '../../index.ts';

/** The models, for people: those with batch inference first, each with the ids that may be written. */
export function modelLines(models: readonly ListedModel[]): string[] {
  if (models.length === 0) return ['Quarry knows no model of that name.'];
  const able = models.filter(({ batch }) => batch === 'yes');
  const others = models.filter(({ batch }) => batch !== 'yes');
  return [
    ...able.flatMap((model) => [
      `${model.name}${priceOf(model)}`,
      ...facts(model).map((line) => `  ${line}`),
    ]),
    ...(able.length > 0 && others.length > 0 ? [''] : []),
    ...(others.length > 0 ? ['Without batch inference, as far as Quarry knows:'] : []),
    ...others.map(({ name, id, why }) => `  ${name} (${id}): ${why}`),
    '',
    `As of ${models.map(({ date }) => date).toSorted()[0]}; prices are dollars for a million tokens in and out. AWS changes all of it.`,
  ];
}

function priceOf({ batch_usd, on_demand_usd }: ListedModel): string {
  if (batch_usd === null || on_demand_usd === null) return ': no price known';
  return `: ${batch_usd.input} / ${batch_usd.output} in a job, ${on_demand_usd.input} / ${on_demand_usd.output} on demand`;
}

function facts(model: ListedModel): string[] {
  const { ids, plain_id_in, profile_in, max_tokens, reads } = model;
  const places = new Set([...plain_id_in, ...profile_in]).size;
  return [
    ids.join('  '),
    [
      `${places} region${places === 1 ? '' : 's'}`,
      `reads ${reads.join(', ')}`,
      ...(max_tokens === null ? [] : [`answers of up to ${max_tokens.toLocaleString('en-US')} tokens`]),
    ].join(' · '),
  ];
}
