import type { InferenceParameters } from './adapters/model-adapter.ts';
import { factsOf } from './catalog/model-catalog.ts';
import type { BatchSupport, ModelFacts } from './catalog/model-facts.ts';
import type { ModelIdentity } from './catalog/model-id.ts';

/** How a run asks a model of the catalogue. */
export interface ModelUse {
  identity: ModelIdentity;
  facts: ModelFacts;
  /** Where its jobs are created; undefined where no region is meant. */
  region: string | undefined;
  parameters: InferenceParameters;
  /** True where its records are Converse's. */
  isConverse: boolean;
}

/** What the catalogue says that Bedrock would refuse: the job itself, or every record of it. Each is a sentence or two. */
export function refusalsOf(use: ModelUse): string[] {
  return [...batchRefusals(use), ...parameterRefusals(use)];
}

function batchRefusals({ identity, facts, region }: ModelUse): string[] {
  const { modelId, profilePrefix } = identity;
  const { batch, name } = facts;
  const refused = (why: string) => [`model_id "${modelId}": ${name} ${why}`];
  if (batch.kind === 'no') {
    const instead = factsOf(batch.instead);
    const other = instead === undefined ? '' : ` ${instead.name} has: ${idsInWords(instead, region)}.`;
    return refused(`has no batch inference: it ${batch.reason} (${facts.date}).${other}`);
  }
  // An ARN that does not tell its model may be of any route.
  if (batch.kind === 'unknown' || identity.baseModelId === undefined) return [];
  const { plainIn, profileIn } = batch;
  const [here, there] = profilePrefix === undefined ? [plainIn, profileIn] : [profileIn, plainIn];
  const way = profilePrefix === undefined ? 'through an inference profile' : 'by its plain id';
  const use = ` Use ${idsInWords(facts, region, profilePrefix === undefined ? 'profile' : 'plain')}.`;
  if (here.length === 0) return refused(`runs in batch only ${way}.${use}`);
  if (region === undefined) return [];
  if (isFar(profilePrefix, region)) {
    return refused(
      `cannot be called in ${region} through a profile of ${profilePrefix}., which is for another part of the world. Use ${idsInWords(facts, region)}.`,
    );
  }
  if (here.includes(region)) return [];
  if (there.includes(region)) return refused(`has batch inference in ${region} only ${way}.${use}`);
  return refused(`has no batch inference in ${region}. It has in ${regionsInWords(batch)}.`);
}

function regionsInWords({ plainIn, profileIn }: Extract<BatchSupport, { kind: 'yes' }>): string {
  return [...new Set([...plainIn, ...profileIn])].toSorted().join(', ');
}

/** The id of a model that fits a region, the one of all regions, and the geographies that there are beside. */
function idsInWords(facts: ModelFacts, region: string | undefined, route?: 'plain' | 'profile'): string {
  const { id, batch } = facts;
  const profiles = batch.kind === 'yes' && route !== 'plain' ? batch.profiles : [];
  const near = profiles.find((profile) => isNear(profile, region)) ?? profiles[0];
  if (near === undefined) return id;
  const global = near !== 'global' && profiles.includes('global') ? ['global'] : [];
  const named = [near, ...global];
  const others = profiles.filter((profile) => !named.includes(profile)).map((profile) => `${profile}.`);
  const ids = named.map((profile) => `${profile}.${id}`).join(' or ');
  return others.length === 0 ? ids : `${ids}; there are ${others.join(', ')} too`;
}

/** Parts of the world that both geographies of profiles and regions name; a profile serves the regions of its own. */
const CONTINENTS: Readonly<Record<string, string>> = { us: 'us', eu: 'eu', apac: 'ap', jp: 'ap', au: 'ap' };

/** True where a profile is surely not of a region: others, as `ca-` and `us.`, may go together. */
function isFar(profile: string | undefined, region: string): boolean {
  const continent = profile === undefined ? undefined : CONTINENTS[profile];
  const [there = ''] = region.split('-');
  return continent !== undefined && Object.values(CONTINENTS).includes(there) && there !== continent;
}

function isNear(profile: string, region: string | undefined): boolean {
  if (region === undefined) return false;
  if (profile === 'jp') return /^ap-northeast-[13]$/.test(region);
  if (profile === 'au') return /^ap-southeast-[24]$/.test(region);
  if (profile === 'us') return /^us-(?!gov)/.test(region);
  return region.startsWith(profile === 'apac' ? 'ap-' : `${profile}-`);
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html */
const CONVERSE_TEMPERATURE = 1;

function parameterRefusals({ identity: { modelId }, facts, parameters, isConverse }: ModelUse): string[] {
  const { maxTokens, refuses } = facts;
  const temperatureOver = refuses.temperatureOver ?? (isConverse ? CONVERSE_TEMPERATURE : undefined);
  const { max_tokens, temperature, top_p, top_k, stop_sequences = [] } = parameters;
  const blank = stop_sequences.find((sequence) => sequence.trim() === '');
  return [
    max_tokens !== undefined && maxTokens !== undefined && max_tokens > maxTokens
      ? `inference_parameters.max_tokens is ${max_tokens}, but ${modelId} refuses more than ${maxTokens}.`
      : [],
    temperature !== undefined && temperature > (temperatureOver ?? temperature)
      ? `inference_parameters.temperature is ${temperature}, but ${modelId} refuses more than ${temperatureOver}.`
      : [],
    refuses.temperatureWithTopP && temperature !== undefined && top_p !== undefined
      ? `inference_parameters: ${modelId} refuses temperature and top_p together. Give one of them.`
      : [],
    refuses.sampling && ((temperature ?? 1) !== 1 || (top_p ?? 1) !== 1)
      ? `inference_parameters: ${modelId} refuses any temperature and top_p but 1. Leave them out.`
      : [],
    refuses.sampling && top_k !== undefined
      ? `inference_parameters: ${modelId} refuses top_k. Leave it out.`
      : [],
    refuses.stopSequences && stop_sequences.length > 0
      ? `inference_parameters: ${modelId} refuses stop_sequences. Leave them out.`
      : [],
    refuses.blankStopSequences && blank !== undefined
      ? `inference_parameters.stop_sequences has ${JSON.stringify(blank)}, but ${modelId} refuses one of white space alone. Leave it out.`
      : [],
  ].flat();
}
