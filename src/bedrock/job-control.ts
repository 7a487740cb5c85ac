import {
  type BedrockClient,
  ConflictException,
  ListModelInvocationJobsCommand,
  type ListModelInvocationJobsResponse,
  ListTagsForResourceCommand,
  StopModelInvocationJobCommand,
} from '@aws-sdk/client-bedrock';
import { type JobStatus, toJobStatus } from '../core/jobs/job.ts';
import { toQuarryError } from './bedrock-errors.ts';

/** A job as a listing tells of it. */
export interface ListedJob {
  jobArn: string;
  jobName: string;
  /** Id or ARN of what it asks. */
  modelId: string;
  status: JobStatus;
  /** What it reads. */
  inputUri: string;
  /** Folder that it writes to. */
  outputUri: string;
  /** ISO 8601. */
  submittedAt: string;
  totalRecords: number | undefined;
  processedRecords: number | undefined;
}

/** What is done to jobs from outside a run: by a cancel, or in search of jobs that no run knows. */
export interface JobControl {
  /** Tells a job to stop. One that has ended already is left as it is. */
  stopJob(jobArn: string): Promise<void>;
  /** Every job of the account, the newest first; of those submitted after a time, where one is given. */
  listJobs(options?: { submittedAfter?: Date; nameContains?: string }): AsyncIterable<ListedJob>;
  /** The tags of a job. */
  tagsOf(jobArn: string): Promise<ReadonlyMap<string, string>>;
}

/** Jobs on one page. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListModelInvocationJobs.html */
const PAGE_SIZE = 1000;

/** Jobs behind the AWS SDK. */
export function createJobControl(control: BedrockClient): JobControl {
  return {
    stopJob: async (jobArn) => {
      try {
        await control.send(new StopModelInvocationJobCommand({ jobIdentifier: jobArn }));
      } catch (error) {
        // It has ended, or stops already.
        if (!(error instanceof ConflictException)) throw toQuarryError(error, `stop the job ${jobArn}`);
      }
    },
    async *listJobs({ submittedAfter, nameContains } = {}) {
      let nextToken: string | undefined;
      do {
        const page: ListModelInvocationJobsResponse = await control
          .send(
            new ListModelInvocationJobsCommand({
              submitTimeAfter: submittedAfter,
              nameContains,
              maxResults: PAGE_SIZE,
              sortBy: 'CreationTime',
              sortOrder: 'Descending',
              nextToken,
            }),
          )
          .catch((error: unknown) => {
            throw toQuarryError(error, 'list the jobs');
          });
        for (const job of page.invocationJobSummaries ?? []) {
          yield {
            jobArn: job.jobArn ?? '',
            jobName: job.jobName ?? '',
            modelId: job.modelId ?? '',
            status: toJobStatus(job.status),
            inputUri: job.inputDataConfig?.s3InputDataConfig?.s3Uri ?? '',
            outputUri: job.outputDataConfig?.s3OutputDataConfig?.s3Uri ?? '',
            submittedAt: job.submitTime?.toISOString() ?? '',
            totalRecords: job.totalRecordCount,
            processedRecords: job.processedRecordCount,
          };
        }
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
    },
    tagsOf: async (jobArn) => {
      try {
        const { tags = [] } = await control.send(new ListTagsForResourceCommand({ resourceARN: jobArn }));
        return new Map(tags.map(({ key = '', value = '' }) => [key, value]));
      } catch (error) {
        throw toQuarryError(error, `read the tags of ${jobArn}`);
      }
    },
  };
}
