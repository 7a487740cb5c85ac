import { MODEL_ADAPTERS } from './adapters/find-adapter.ts';
import { factsOf, idsOf, MODEL_CATALOG } from './catalog/model-catalog.ts';
import type { ModelFacts, TokenPrice } from './catalog/model-facts.ts';
import { ON_DEMAND_FACTOR } from './catalog/prices.ts';

/** What `quarry models --json` says of one model. */
export interface ListedModel {
  /** The catalogue's id; one that ends in `*` stands for all that start so. */
  id: string;
  name: string;
  /** Quarry's family of it; null where Quarry writes no requests for it. */
  family: string | null;
  batch: 'yes' | 'no' | 'unknown';
  /** Why not, and which model has batch instead; null where it has. */
  why: string | null;
  /** What may be written as model_id. */
  ids: string[];
  route: 'plain id' | 'profile' | 'plain id or profile' | null;
  plain_id_in: readonly string[];
  profile_in: readonly string[];
  /** Dollars for a million tokens; null where no price is known. */
  batch_usd: TokenPrice | null;
  /** The same elsewhere than through `global.`, where it differs. */
  batch_usd_regional: TokenPrice | null;
  on_demand_usd: TokenPrice | null;
  /** Most tokens of an answer, where it is known. */
  max_tokens: number | null;
  reads: string[];
  structured_output: boolean;
  thinking: string;
  /** What it answers with an error, in words. */
  refuses: string[];
  note: string | null;
  source: string;
  date: string;
}

/** Every row of the catalogue, in its order. */
export function listModels(): ListedModel[] {
  return MODEL_CATALOG.map(listedModel);
}

function listedModel(facts: ModelFacts): ListedModel {
  const { id, name, batch, price, reads, thinking, note = null, source, date } = facts;
  const [plainIn, profileIn] = batch.kind === 'yes' ? [batch.plainIn, batch.profileIn] : [[], []];
  return {
    id,
    name,
    family: MODEL_ADAPTERS.find((adapter) => adapter.matches(facts))?.family ?? null,
    batch: batch.kind,
    why: whyNot(facts),
    ids: idsOf(facts),
    route: routeOf(plainIn.length > 0, profileIn.length > 0),
    plain_id_in: plainIn,
    profile_in: profileIn,
    batch_usd: price?.batch ?? null,
    batch_usd_regional: price?.regional ?? null,
    on_demand_usd:
      price === undefined
        ? null
        : {
            input: price.batch.input * ON_DEMAND_FACTOR,
            output: price.batch.output * ON_DEMAND_FACTOR,
          },
    max_tokens: facts.maxTokens ?? null,
    reads: ['text', ...reads],
    structured_output: facts.structuredOutput,
    thinking,
    refuses: refusalsInWords(facts),
    note,
    source,
    date,
  };
}

function whyNot({ batch }: ModelFacts): string | null {
  switch (batch.kind) {
    case 'yes':
      return null;
    case 'no': {
      const instead = factsOf(batch.instead);
      return `It ${batch.reason}.${instead === undefined ? '' : ` ${instead.name} has it.`}`;
    }
    case 'unknown':
      return 'Nobody has told yet whether it has batch inference.';
  }
}

function routeOf(plain: boolean, profile: boolean): ListedModel['route'] {
  if (plain && profile) return 'plain id or profile';
  return plain ? 'plain id' : profile ? 'profile' : null;
}

function refusalsInWords({ refuses }: ModelFacts): string[] {
  return [
    refuses.temperatureOver === undefined ? [] : `temperature over ${refuses.temperatureOver}`,
    refuses.temperatureWithTopP ? 'temperature with top_p' : [],
    refuses.sampling ? 'temperature, top_p and top_k' : [],
    refuses.stopSequences ? 'stop_sequences' : [],
    refuses.blankStopSequences ? 'stop_sequences of white space' : [],
  ].flat();
}
