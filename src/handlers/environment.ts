import { z } from 'zod';
import { DEFAULT_BATCH_QUOTAS } from '../core/jobs/quotas.ts';

/** A whole number, as an environment variable has it. */
const Whole = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number')
  .transform(Number);

const AccountId = z.string().regex(/^\d{12}$/, 'must be an account id of twelve digits');

/** Names with commas between them; empty for none. */
const Names = z
  .string()
  .default('')
  .transform((text) => text.split(',').filter((name) => name !== ''));

const EnvironmentSchema = z.object({
  /** Bucket of all runs. */
  QUARRY_BUCKET: z.string().min(3),
  /** Account of that bucket, checked at every request. */
  QUARRY_BUCKET_OWNER: AccountId,
  /** `bucket=account` for each input bucket of another account. */
  QUARRY_INPUT_BUCKET_OWNERS: Names.pipe(
    z.array(z.string().regex(/^[a-z0-9][-.a-z0-9]{1,61}[a-z0-9]=\d{12}$/, 'must be bucket=account')),
  ),
  /** Service role that Bedrock assumes. */
  QUARRY_ROLE_ARN: z.string().regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/.+/, 'must be the ARN of a role'),
  QUARRY_VERSION: z.string().min(1),
  /** Lambda's own. */
  AWS_REGION: z.string().optional(),
  QUARRY_POLL_SECONDS: Whole.pipe(z.int().min(1)).default(300),
  QUARRY_PREPARE_CONCURRENCY: Whole.pipe(z.int().min(1)).default(10),
  /** Days after which the bucket deletes what is below `working/`. */
  QUARRY_WORKING_FILES_DAYS: Whole.pipe(z.int().min(1)).optional(),
  QUARRY_ROWS_PER_SLICE: Whole.pipe(z.int().min(1)).default(1_000_000),
  QUARRY_MAX_CONCURRENT_JOBS: Whole.pipe(z.int().min(1)).default(DEFAULT_BATCH_QUOTAS.maxConcurrentJobs),
  QUARRY_MIN_RECORDS_PER_JOB: Whole.pipe(z.int().min(1)).default(DEFAULT_BATCH_QUOTAS.minRecordsPerJob),
  QUARRY_MAX_RECORDS_PER_JOB: Whole.pipe(z.int().min(1)).default(DEFAULT_BATCH_QUOTAS.maxRecordsPerJob),
  QUARRY_MAX_INPUT_FILE_BYTES: Whole.pipe(z.int().min(1)).default(DEFAULT_BATCH_QUOTAS.maxInputFileBytes),
  /** KMS key of the jobs' output, where the bucket has one. */
  QUARRY_OUTPUT_KEY_ARN: z.string().startsWith('arn:').optional(),
  /** Secret whose text is a Hugging Face token. */
  QUARRY_HUGGING_FACE_SECRET_ARN: z.string().startsWith('arn:').optional(),
  /** Network of the jobs; both or neither. */
  QUARRY_JOB_SUBNET_IDS: Names,
  QUARRY_JOB_SECURITY_GROUP_IDS: Names,
});

/** What the stack tells its functions. */
export type Environment = z.infer<typeof EnvironmentSchema>;

/** Parses a function's environment variables; the error lists every fault, and no value. */
export function parseEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  const result = EnvironmentSchema.safeParse(variables);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Error(
    `The function's environment is not what this version expects. Deploy the stack again.\n  - ${faults.join('\n  - ')}`,
  );
}
