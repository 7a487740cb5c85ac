import { factsOf } from '../../models/catalog/model-catalog.ts';

/** What one model's batch jobs may be. Ends inclusive. */
export interface EmulatedQuotas {
  minRecordsPerJob: number;
  maxRecordsPerFile: number;
  maxRecordsPerJob: number;
  maxBytesPerFile: number;
  maxBytesPerJob: number;
  /** In-progress and submitted together, of one base model. */
  maxConcurrentJobs: number;
}

/** Quotas of the emulator; a model's own go before the default's. Keys of `models` are base model ids. */
export interface QuotaOptions {
  default?: Partial<EmulatedQuotas>;
  models?: Readonly<Record<string, Partial<EmulatedQuotas>>>;
}

const GIB = 1024 ** 3;

/** Quotas as most accounts have them. https://docs.aws.amazon.com/general/latest/gr/bedrock.html */
export const DEFAULT_QUOTAS: Readonly<EmulatedQuotas> = {
  minRecordsPerJob: 100,
  maxRecordsPerFile: 100_000,
  maxRecordsPerJob: 100_000,
  maxBytesPerFile: GIB,
  maxBytesPerJob: 5 * GIB,
  maxConcurrentJobs: 100,
};

/** The quotas of a base model. */
export function quotasOf(baseId: string, options: QuotaOptions): EmulatedQuotas {
  const maxBytesPerJob = factsOf(baseId)?.maxJobBytes ?? DEFAULT_QUOTAS.maxBytesPerJob;
  return {
    ...DEFAULT_QUOTAS,
    maxBytesPerJob,
    ...options.default,
    ...options.models?.[baseId],
  };
}
