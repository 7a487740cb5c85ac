import { z } from 'zod';

/** The emulator on this machine. */
const LocalRunTarget = z.object({
  kind: z.literal('local'),
  /** A Bedrock emulator that runs elsewhere; null = the folder's own. */
  emulator_url: z.string().nullable(),
  /** An OpenAI-compatible server that answers instead of the simulated model. */
  model_endpoint: z.string().nullable(),
  /** Records that one job may have; null = Quarry's default. */
  records_per_job_quota: z.int().min(1).nullable().default(null),
  /** That server's own name of the model; null = the run's model id. */
  endpoint_model: z.string().nullable().default(null),
  /** Environment variable that holds its key. */
  endpoint_api_key_env: z.string().nullable().default(null),
  /** Requests that it gets at once, and seconds that each may take; null = the emulator's own numbers. */
  endpoint_concurrency: z.int().min(1).nullable().default(null),
  endpoint_timeout: z.number().positive().nullable().default(null),
});
export type LocalRunTarget = z.infer<typeof LocalRunTarget>;

/** The engine on this machine, with S3 and Bedrock of an AWS account. */
const BedrockRunTarget = z.object({
  kind: z.literal('bedrock'),
  bucket: z.string(),
  /** Account that the bucket must belong to; null = not checked. */
  bucket_owner: z.string().nullable(),
  /** Service role of the jobs; null where only what is there is looked at. */
  role_arn: z.string().nullable(),
  region: z.string(),
  /** Of the AWS configuration files; null = the environment decides. */
  profile: z.string().nullable(),
  poll_seconds: z.int().min(1),
  /** Records that one job may have by the account's quota; null = Quarry's default. */
  records_per_job_quota: z.int().min(1).nullable().default(null),
});
export type BedrockRunTarget = z.infer<typeof BedrockRunTarget>;

/** A deployed stack. */
const AwsRunTarget = z.object({
  kind: z.literal('aws'),
  stack_name: z.string(),
  bucket: z.string(),
  /** Account of the stack, which the bucket must belong to. */
  bucket_owner: z.string(),
  region: z.string(),
  profile: z.string().nullable(),
  /** What the stack was deployed with. */
  limits: z.object({
    minRecordsPerJob: z.int().optional(),
    maxRecordsPerJob: z.int().optional(),
    maxConcurrentJobs: z.int().optional(),
  }),
});
export type AwsRunTarget = z.infer<typeof AwsRunTarget>;

/** Where a run runs, and where its files lie. */
export const RunTarget = z.discriminatedUnion('kind', [LocalRunTarget, BedrockRunTarget, AwsRunTarget]);
export type RunTarget = z.infer<typeof RunTarget>;

/** Where a run's files lie, for messages and tables. */
export function placeOf(target: RunTarget): string {
  switch (target.kind) {
    case 'local':
      return 'local';
    case 'bedrock':
    case 'aws':
      return `s3://${target.bucket}`;
  }
}
