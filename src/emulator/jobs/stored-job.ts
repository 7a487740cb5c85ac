import { z } from 'zod';
import type { S3Uri } from '../../core/s3-uri.ts';
import { ModelServer } from '../models/model-server.ts';

/** The ten statuses of a model invocation job. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetModelInvocationJob.html */
export const JOB_STATUSES = [
  'Submitted',
  'InProgress',
  'Completed',
  'Failed',
  'Stopping',
  'Stopped',
  'PartiallyCompleted',
  'Expired',
  'Validating',
  'Scheduled',
] as const;

/** A status of a model invocation job. */
export type EmulatedStatus = (typeof JOB_STATUSES)[number];

const Uri = z.templateLiteral(['s3://', z.string()]) satisfies z.ZodType<S3Uri>;
const Count = z.int().min(0);

/** What became of a job's records so far. */
export const RecordCounts = z.object({
  processed: Count,
  success: Count,
  error: Count,
  inputTokens: Count,
  outputTokens: Count,
});
/** What became of a job's records so far. */
export type RecordCounts = z.infer<typeof RecordCounts>;

/** Nothing processed yet. */
export const NO_RECORDS: Readonly<RecordCounts> = {
  processed: 0,
  success: 0,
  error: 0,
  inputTokens: 0,
  outputTokens: 0,
};

/** A job as the state directory keeps it. Times are milliseconds since 1970. */
export const StoredJob = z.object({
  jobId: z.string(),
  jobArn: z.string(),
  /** 1 for the first job that was ever made here. */
  ordinal: z.int(),
  jobName: z.string(),
  modelId: z.string(),
  modelArn: z.string(),
  roleArn: z.string(),
  clientRequestToken: z.string().optional(),
  inputDataConfig: z.object({
    s3InputDataConfig: z.object({
      s3Uri: Uri,
      s3InputFormat: z.string().optional(),
      s3BucketOwner: z.string().optional(),
    }),
  }),
  outputDataConfig: z.object({
    s3OutputDataConfig: z.object({
      s3Uri: Uri,
      s3EncryptionKeyId: z.string().optional(),
      s3BucketOwner: z.string().optional(),
    }),
  }),
  vpcConfig: z.object({ subnetIds: z.array(z.string()), securityGroupIds: z.array(z.string()) }).optional(),
  modelInvocationType: z.enum(['InvokeModel', 'Converse']),
  timeoutHours: z.int(),
  tags: z.array(z.object({ key: z.string(), value: z.string() })),
  status: z.enum(JOB_STATUSES),
  message: z.string().optional(),
  submitTimeMs: z.int(),
  lastModifiedMs: z.int(),
  /** When the present status began. */
  stageSinceMs: z.int(),
  endTimeMs: z.int().optional(),
  /** Undefined until the input was validated. */
  totalRecords: Count.optional(),
  counts: RecordCounts,
  /** Output was published, so that its answers are paid for. */
  isBilled: z.boolean(),
  /** How many records were through when the job was told to stop; undefined if it had not begun. */
  stoppedAtRecord: Count.optional(),
  /** Who answers; undefined for the simulated model. */
  modelServer: ModelServer.optional(),
  /** Indices of the fault rules that hit this job. */
  faultRules: z.array(z.int()),
});
/** A job as the state directory keeps it. */
export type StoredJob = z.infer<typeof StoredJob>;

/** True once nothing will happen to the job any more. */
export function isTerminal(status: EmulatedStatus): boolean {
  switch (status) {
    case 'Completed':
    case 'PartiallyCompleted':
    case 'Failed':
    case 'Stopped':
    case 'Expired':
      return true;
    case 'Submitted':
    case 'Validating':
    case 'Scheduled':
    case 'InProgress':
    case 'Stopping':
      return false;
  }
}

/** A job as GetModelInvocationJob and ListModelInvocationJobs show it. */
export function toJobSummary(job: StoredJob): Record<string, unknown> {
  const hasCounts = job.totalRecords !== undefined;
  return {
    jobArn: job.jobArn,
    jobName: job.jobName,
    modelId: job.modelArn,
    clientRequestToken: job.clientRequestToken,
    roleArn: job.roleArn,
    status: job.status,
    message: job.message,
    submitTime: toIso(job.submitTimeMs),
    lastModifiedTime: toIso(job.lastModifiedMs),
    endTime: job.endTimeMs === undefined ? undefined : toIso(job.endTimeMs),
    jobExpirationTime: toIso(deadlineOf(job)),
    inputDataConfig: job.inputDataConfig,
    outputDataConfig: job.outputDataConfig,
    vpcConfig: job.vpcConfig,
    timeoutDurationInHours: job.timeoutHours,
    modelInvocationType: job.modelInvocationType,
    totalRecordCount: job.totalRecords,
    processedRecordCount: hasCounts ? job.counts.processed : undefined,
    successRecordCount: hasCounts ? job.counts.success : undefined,
    errorRecordCount: hasCounts ? job.counts.error : undefined,
  };
}

/** When the job expires, or is cut off, in milliseconds since 1970. */
export function deadlineOf(job: StoredJob): number {
  return job.submitTimeMs + job.timeoutHours * 3_600_000;
}

function toIso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
