import {
  type BedrockClient,
  ConflictException,
  CreateModelInvocationJobCommand,
  GetModelInvocationJobCommand,
  type GetModelInvocationJobResponse,
  ListModelInvocationJobsCommand,
  type ModelInvocationJobSummary,
  ValidationException,
} from '@aws-sdk/client-bedrock';
import {
  type BedrockRuntimeClient,
  ConverseCommand,
  type ConverseCommandInput,
  InvokeModelCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { JobStatus } from '../core/job.ts';
import type { ModelInvocationType } from '../models/model-adapter.ts';
import type { Bedrock, InvokeResult, JobDescription } from './bedrock.ts';
import { toQuarryError } from './bedrock-errors.ts';

/** The two clients of Bedrock: control plane and runtime. */
export interface BedrockClients {
  control: BedrockClient;
  runtime: BedrockRuntimeClient;
}

/** Amazon Bedrock behind the AWS SDK. */
export function createAwsBedrock({ control, runtime }: BedrockClients): Bedrock {
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
            inputDataConfig: { s3InputDataConfig: { s3Uri: request.inputUri, s3InputFormat: 'JSONL' } },
            outputDataConfig: { s3OutputDataConfig: { s3Uri: `${request.outputUri}/` } },
            tags: request.tags,
          }),
        );
        return jobArn === undefined
          ? { kind: 'refused', message: 'Bedrock answered without a job ARN.' }
          : { kind: 'created', jobArn };
      } catch (error) {
        if (isNameInUse(error)) return { kind: 'name_in_use' };
        if (error instanceof ValidationException) return { kind: 'refused', message: error.message };
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
        const { invocationJobSummaries = [] } = await control.send(
          new ListModelInvocationJobsCommand({
            nameContains: jobName,
            sortBy: 'CreationTime',
            sortOrder: 'Descending',
          }),
        );
        const found = invocationJobSummaries.find((summary) => summary.jobName === jobName);
        return found === undefined ? undefined : toDescription(found);
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
    status: JobStatus.parse(job.status),
    message: job.message,
    totalRecords: job.totalRecordCount,
    processedRecords: job.processedRecordCount,
  };
}
