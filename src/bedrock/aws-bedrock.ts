import {
  BedrockClient,
  type BedrockClientConfig,
  ConflictException,
  CreateModelInvocationJobCommand,
  GetModelInvocationJobCommand,
  type GetModelInvocationJobResponse,
  ListModelInvocationJobsCommand,
  type ListModelInvocationJobsResponse,
  type ModelInvocationJobSummary,
  ValidationException,
} from '@aws-sdk/client-bedrock';
import {
  BedrockRuntimeClient,
  type BedrockRuntimeClientConfig,
  ConverseCommand,
  type ConverseCommandInput,
  InvokeModelCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { toJobStatus } from '../core/jobs/job.ts';
import { sentenceOf } from '../core/text/sentence.ts';
import type { ModelInvocationType } from '../models/adapters/model-adapter.ts';
import type { Bedrock, InvokeResult, JobDescription } from './bedrock.ts';
import { refusalAdvice, toQuarryError } from './bedrock-errors.ts';

/** The two clients of Bedrock: control plane and runtime. */
export interface BedrockClients {
  control: BedrockClient;
  runtime: BedrockRuntimeClient;
}

/** What every job of a deployment has in common. */
export interface JobSettings {
  /** Network that jobs reach the bucket through. */
  vpcConfig?: { subnetIds: string[]; securityGroupIds: string[] } | undefined;
  /** KMS key that output is encrypted with, instead of the bucket's own default. */
  outputKeyArn?: string | undefined;
  /** Account that the bucket belongs to. */
  bucketOwner?: string | undefined;
}

/** Pages of jobs that a search by name reads; newest first, so the job looked for is on the first ones. */
const MAX_LIST_PAGES = 20;

/** Attempts for one call, unless AWS_MAX_ATTEMPTS says otherwise: many jobs that start at once are throttled. */
const MAX_ATTEMPTS = 8;

/** Milliseconds that the control plane has for an answer: a connection that is gone without a word would be waited for for good. */
const CONTROL_DEADLINE_MS = 60_000;
/** The same for a model's answer: the longest that Bedrock lets one take, as a call given up earlier would be paid for twice. */
const ANSWER_DEADLINE_MS = 3_600_000;

/** The clients of Bedrock, which slow down when asked to, and give up a call that nobody answers. */
export function createBedrockClients(overrides: BedrockClientConfig = {}): BedrockClients {
  const options = {
    retryMode: 'adaptive',
    ...(process.env.AWS_MAX_ATTEMPTS === undefined ? { maxAttempts: MAX_ATTEMPTS } : {}),
    ...overrides,
  };
  return {
    control: new BedrockClient({ ...withDeadline(CONTROL_DEADLINE_MS), ...options }),
    runtime: new BedrockRuntimeClient({
      ...withDeadline(ANSWER_DEADLINE_MS),
      ...(options as BedrockRuntimeClientConfig),
    }),
  };
}

function withDeadline(requestTimeout: number) {
  return { requestHandler: { requestTimeout, throwOnRequestTimeout: true } };
}

/** Amazon Bedrock behind the AWS SDK. */
export function createAwsBedrock(
  { control, runtime }: BedrockClients,
  { vpcConfig, outputKeyArn, bucketOwner }: JobSettings = {},
): Bedrock {
  const s3BucketOwner = bucketOwner;
  return {
    createJob: async (request) => {
      try {
        const { jobArn } = await control.send(
          new CreateModelInvocationJobCommand({
            jobName: request.jobName,
            clientRequestToken: request.clientRequestToken,
            modelId: request.modelId,
            roleArn: request.roleArn,
            modelInvocationType: request.modelInvocationType,
            inputDataConfig: {
              s3InputDataConfig: { s3Uri: request.inputUri, s3InputFormat: 'JSONL', s3BucketOwner },
            },
            outputDataConfig: {
              s3OutputDataConfig: {
                s3Uri: `${request.outputUri}/`,
                s3EncryptionKeyId: outputKeyArn,
                s3BucketOwner,
              },
            },
            vpcConfig,
            timeoutDurationInHours: request.timeoutHours,
            tags: request.tags,
          }),
        );
        return jobArn === undefined
          ? { kind: 'refused', message: 'Bedrock answered without a job ARN.' }
          : { kind: 'created', jobArn };
      } catch (error) {
        if (isNameInUse(error)) return { kind: 'name_in_use' };
        if (error instanceof ValidationException) {
          return { kind: 'refused', message: `${sentenceOf(error.message)}${refusalAdvice(error.message)}` };
        }
        throw toQuarryError(error, `create the job ${request.jobName}`);
      }
    },
    getJob: async (jobArn) => {
      try {
        return toDescription(await control.send(new GetModelInvocationJobCommand({ jobIdentifier: jobArn })));
      } catch (error) {
        throw toQuarryError(error, `read the job ${jobArn}`);
      }
    },
    findJobByName: async (jobName) => {
      try {
        let nextToken: string | undefined;
        for (let page = 0; page < MAX_LIST_PAGES; page += 1) {
          const answer: ListModelInvocationJobsResponse = await control.send(
            new ListModelInvocationJobsCommand({
              nameContains: jobName,
              sortBy: 'CreationTime',
              sortOrder: 'Descending',
              nextToken,
            }),
          );
          const found = answer.invocationJobSummaries?.find((summary) => summary.jobName === jobName);
          if (found !== undefined) return toDescription(found);
          nextToken = answer.nextToken;
          if (nextToken === undefined) return undefined;
        }
        return undefined;
      } catch (error) {
        throw toQuarryError(error, `look for the job ${jobName}`);
      }
    },
    invoke: (modelId, type, modelInput) => invoke(runtime, modelId, type, modelInput),
  };
}

async function invoke(
  runtime: BedrockRuntimeClient,
  modelId: string,
  type: ModelInvocationType,
  modelInput: unknown,
): Promise<InvokeResult> {
  try {
    switch (type) {
      case 'InvokeModel': {
        const { body } = await runtime.send(
          new InvokeModelCommand({
            modelId,
            body: JSON.stringify(modelInput),
            contentType: 'application/json',
            accept: 'application/json',
          }),
        );
        return { kind: 'answered', modelOutput: JSON.parse(body.transformToString()) };
      }
      case 'Converse': {
        const { $metadata: _, ...modelOutput } = await runtime.send(
          new ConverseCommand({ ...(modelInput as Omit<ConverseCommandInput, 'modelId'>), modelId }),
        );
        return { kind: 'answered', modelOutput };
      }
    }
  } catch (error) {
    // What the model says of this one record ends it, as it would in a job.
    const { $metadata, name, message } = error as Partial<ValidationException>;
    const status = $metadata?.httpStatusCode;
    if (name === 'ValidationException' || name === 'ModelErrorException') {
      return { kind: 'failed', errorCode: status ?? 400, errorMessage: message ?? name };
    }
    throw toQuarryError(error, `invoke ${modelId}`);
  }
}

function isNameInUse(error: unknown): boolean {
  return (
    (error instanceof ConflictException || error instanceof ValidationException) &&
    /job name is currently in use|name provided is currently|already (?:exists|in use)/i.test(error.message)
  );
}

function toDescription(job: GetModelInvocationJobResponse | ModelInvocationJobSummary): JobDescription {
  return {
    jobArn: job.jobArn ?? '',
    jobName: job.jobName ?? '',
    status: toJobStatus(job.status),
    message: job.message,
    totalRecords: countOf(job.totalRecordCount),
    processedRecords: countOf(job.processedRecordCount),
    inputUri: job.inputDataConfig?.s3InputDataConfig?.s3Uri ?? '',
    outputUri: job.outputDataConfig?.s3OutputDataConfig?.s3Uri ?? '',
    submittedAt: job.submitTime?.toISOString(),
    endedAt: job.endTime?.toISOString(),
  };
}

/** A count, where it is one: older jobs have none. */
function countOf(count: number | undefined): number | undefined {
  return typeof count === 'number' && Number.isInteger(count) && count >= 0 ? count : undefined;
}
