import type { JobStatus } from '../core/jobs/job.ts';
import type { S3Uri } from '../core/s3-uri.ts';
import type { ModelInvocationType } from '../models/adapters/model-adapter.ts';

/** One model invocation job to create. */
export interface CreateJobRequest {
  jobName: string;
  clientRequestToken: string;
  modelId: string;
  roleArn: string;
  modelInvocationType: ModelInvocationType;
  inputUri: S3Uri;
  outputUri: S3Uri;
  /** Hours after which Bedrock gives the job up; undefined = Bedrock's own. */
  timeoutHours?: number | undefined;
  tags: { key: string; value: string }[];
}

/** What Bedrock answered to a create: a job, the one that has this name already, or a refusal that would repeat. */
export type CreateJobResult =
  | { kind: 'created'; jobArn: string }
  | { kind: 'name_in_use' }
  | { kind: 'refused'; message: string };

/** What Bedrock tells of a job. Counts are absent on older jobs. */
export interface JobDescription {
  jobArn: string;
  jobName: string;
  status: JobStatus;
  /** Why it failed. */
  message: string | undefined;
  totalRecords: number | undefined;
  processedRecords: number | undefined;
  /** What it reads. */
  inputUri: string;
  /** Folder that it writes to. */
  outputUri: string;
  /** ISO 8601. */
  submittedAt: string | undefined;
  /** ISO 8601; undefined while it runs. */
  endedAt: string | undefined;
}

/** One invocation's answer: a body, or the error that the record ends with. */
export type InvokeResult =
  | { kind: 'answered'; modelOutput: unknown }
  | { kind: 'failed'; errorCode: number; errorMessage: string };

/**
 * Amazon Bedrock as the steps need it. Calls reject with JobQuotaExceededError, BedrockThrottledError and
 * ServiceUnavailableError, which are worth trying again, and with AccessDeniedError.
 */
export interface Bedrock {
  createJob(request: CreateJobRequest): Promise<CreateJobResult>;
  getJob(jobArn: string): Promise<JobDescription>;
  /** The newest job of exactly this name. */
  findJobByName(jobName: string): Promise<JobDescription | undefined>;
  /** Runs one record on demand, at the on-demand price. */
  invoke(modelId: string, type: ModelInvocationType, modelInput: unknown): Promise<InvokeResult>;
}
