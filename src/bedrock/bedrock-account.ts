import type { BatchQuotas } from '../core/jobs/quotas.ts';

/** The account that a run is made in, as Plan asks it before anything is spent. Calls reject where it does not tell. */
export interface BedrockAccount {
  /** Its quotas of batch jobs of a model, as far as Service Quotas has them; `{}` where it has none. */
  batchQuotas(baseModelId: string): Promise<Partial<BatchQuotas>>;
  /** `provider.model` behind an inference profile, by its id or ARN; undefined where there is no such profile. */
  modelBehind(profile: string): Promise<string | undefined>;
}
