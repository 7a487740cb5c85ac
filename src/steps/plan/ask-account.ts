import type { BedrockAccount } from '../../bedrock/bedrock-account.ts';
import { InvalidRunInputError } from '../../core/errors.ts';
import { type BatchQuotas, DEFAULT_QUOTAS_AS_OF } from '../../core/jobs/quotas.ts';
import type { PlanQuotas } from '../../core/plan/run-plan.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import { parseModelId } from '../../models/catalog/model-id.ts';
import type { PlanDeps } from '../deps.ts';

/** What stands behind a run's model id, as its account says. */
export interface ModelBehind {
  /** `provider.model`; undefined where nobody was asked, or nobody tells. */
  baseModelId: string | undefined;
  notes: string[];
  /** Throws InvalidRunInputError where the account has no such profile. Of a run that is planned it is not asked any more. */
  requireThere(): void;
}

/** Asks what an application inference profile is of, unless the run input says it. Never rejects. */
export async function modelBehindOf(
  { model_id, base_model_id }: RunInput,
  { account, settings }: Pick<PlanDeps, 'account'> & { settings: { region?: string | undefined } },
): Promise<ModelBehind> {
  const nothing = { baseModelId: undefined, notes: [], requireThere: () => {} };
  const isProfile = model_id.includes(':application-inference-profile/');
  if (account === undefined || base_model_id !== undefined || !isProfile) return nothing;
  // What is no model id at all is refused as such, before anybody is asked.
  parseModelId(model_id);
  try {
    const baseModelId = await account.modelBehind(model_id);
    if (baseModelId !== undefined) return { ...nothing, baseModelId };
    return {
      ...nothing,
      requireThere: () => {
        throw new InvalidRunInputError(
          `There is no inference profile ${model_id}${settings.region === undefined ? '' : ` in ${settings.region}`}. Check its spelling, the account and the region.`,
        );
      },
    };
  } catch (error) {
    return {
      ...nothing,
      notes: [`${(error as Error).message} Without it, base_model_id says what model ${model_id} is of.`],
    };
  }
}

/** The quotas that a run is packed by, and what is to be said of them. */
export interface AskedQuotas {
  quotas: BatchQuotas;
  planned: PlanQuotas;
  notes: string[];
}

type SourcedQuota = PlanQuotas['records_per_job'];

/** The quotas of the run's account and model; where they cannot be read, those of the settings. Never rejects. */
async function quotasOfRun(
  baseModelId: string | undefined,
  { account, settings }: Pick<PlanDeps, 'account' | 'settings'>,
): Promise<AskedQuotas> {
  const { quotas: set, quotaSources = {} } = settings;
  const { live, notes } = await readLive(baseModelId, account);
  const choose = (key: keyof BatchQuotas, strictest: (a: number, b: number) => number): SourcedQuota => {
    const source = quotaSources[key] ?? 'default';
    const read = live[key];
    if (read === undefined || source === 'told') return { value: set[key], source };
    // A stack is deployed with what its runs may have at most; the account may have less.
    const value = source === 'stack' ? strictest(set[key], read) : read;
    return { value, source: value === read ? 'account' : source };
  };
  const records = choose('maxRecordsPerJob', Math.min);
  const jobs = choose('maxConcurrentJobs', Math.min);
  const least = choose('minRecordsPerJob', Math.max);
  return {
    quotas: {
      ...set,
      maxRecordsPerJob: records.value,
      maxConcurrentJobs: jobs.value,
      minRecordsPerJob: least.value,
    },
    planned: {
      records_per_job: records,
      jobs_at_once: jobs,
      min_records_per_job: least,
      defaults_as_of: DEFAULT_QUOTAS_AS_OF,
    },
    notes,
  };
}

/** The quotas of several models, and how many jobs each may have at once, in their order. */
export interface QuotasOfModels extends AskedQuotas {
  slots: number[];
}

/**
 * The quotas that a run of several models is packed by: parts are such as each of them takes, and each model has slots of its own.
 * Never rejects.
 */
export async function quotasOfModels(
  baseModelIds: readonly (string | undefined)[],
  deps: Pick<PlanDeps, 'account' | 'settings'>,
): Promise<QuotasOfModels> {
  const [first, ...others] = (await Promise.all(baseModelIds.map((id) => quotasOfRun(id, deps)))) as [
    AskedQuotas,
    ...AskedQuotas[],
  ];
  const slots = [first, ...others].map(({ quotas }) => quotas.maxConcurrentJobs);
  const together = others.reduce((sum, next) => strictestOf(sum, next), first);
  return { ...together, slots };
}

/** What both take, and the slots of both. */
function strictestOf(a: AskedQuotas, b: AskedQuotas): AskedQuotas {
  const records = a.quotas.maxRecordsPerJob <= b.quotas.maxRecordsPerJob ? a : b;
  const least = a.quotas.minRecordsPerJob >= b.quotas.minRecordsPerJob ? a : b;
  const { value, source } = a.planned.jobs_at_once;
  const jobs = { value: value + b.planned.jobs_at_once.value, source };
  return {
    quotas: {
      ...a.quotas,
      maxRecordsPerJob: records.quotas.maxRecordsPerJob,
      minRecordsPerJob: least.quotas.minRecordsPerJob,
      maxConcurrentJobs: jobs.value,
    },
    planned: {
      ...a.planned,
      records_per_job: records.planned.records_per_job,
      min_records_per_job: least.planned.min_records_per_job,
      jobs_at_once: jobs,
    },
    notes: [...new Set([...a.notes, ...b.notes])],
  };
}

async function readLive(
  baseModelId: string | undefined,
  account: BedrockAccount | undefined,
): Promise<{ live: Partial<BatchQuotas>; notes: string[] }> {
  if (account === undefined || baseModelId === undefined) return { live: {}, notes: [] };
  try {
    return { live: await account.batchQuotas(baseModelId), notes: [] };
  } catch (error) {
    return {
      live: {},
      notes: [`${(error as Error).message} The run is packed without them; a job that finds no slot waits.`],
    };
  }
}
