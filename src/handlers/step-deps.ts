import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAwsBedrock, createBedrockClients } from '../bedrock/aws-bedrock.ts';
import { systemClock } from '../core/clock.ts';
import type { StepDeps } from '../steps/deps.ts';
import { createS3Client } from '../store/s3-client.ts';
import { createS3Store } from '../store/s3-store.ts';
import type { Environment } from './environment.ts';

/** Where a function keeps files while it works: all of `/tmp` that is its own. */
export const SCRATCH_DIRECTORY = join(tmpdir(), 'quarry-function');

/** The world of a step on Lambda: S3, Bedrock and the system's clock. */
export function createStepDeps(environment: Environment): StepDeps {
  const subnetIds = environment.QUARRY_JOB_SUBNET_IDS;
  const securityGroupIds = environment.QUARRY_JOB_SECURITY_GROUP_IDS;
  const inputOwners = environment.QUARRY_INPUT_BUCKET_OWNERS.map((entry) => entry.split('='));
  return {
    store: createS3Store({
      client: createS3Client(),
      scratchDirectory: join(SCRATCH_DIRECTORY, 'downloads'),
      bucketOwners: {
        ...Object.fromEntries(inputOwners),
        [environment.QUARRY_BUCKET]: environment.QUARRY_BUCKET_OWNER,
      },
    }),
    bedrock: createAwsBedrock(createBedrockClients(), {
      outputKeyArn: environment.QUARRY_OUTPUT_KEY_ARN,
      vpcConfig: subnetIds.length === 0 ? undefined : { subnetIds, securityGroupIds },
    }),
    clock: systemClock,
    hash: (text) => createHash('sha256').update(text).digest('hex'),
    scratchDirectory: SCRATCH_DIRECTORY,
    settings: {
      bucket: environment.QUARRY_BUCKET,
      roleArn: environment.QUARRY_ROLE_ARN,
      region: environment.AWS_REGION,
      quotas: {
        minRecordsPerJob: environment.QUARRY_MIN_RECORDS_PER_JOB,
        maxRecordsPerJob: environment.QUARRY_MAX_RECORDS_PER_JOB,
        maxInputFileBytes: environment.QUARRY_MAX_INPUT_FILE_BYTES,
        maxConcurrentJobs: environment.QUARRY_MAX_CONCURRENT_JOBS,
      },
      quotaSources: { minRecordsPerJob: 'stack', maxRecordsPerJob: 'stack', maxConcurrentJobs: 'stack' },
      pollSeconds: environment.QUARRY_POLL_SECONDS,
      prepareConcurrency: environment.QUARRY_PREPARE_CONCURRENCY,
      rowsPerSlice: environment.QUARRY_ROWS_PER_SLICE,
      ...(environment.QUARRY_WORKING_FILES_DAYS === undefined
        ? {}
        : { workingFilesDays: environment.QUARRY_WORKING_FILES_DAYS }),
      simulated: false,
      billed: true,
      version: environment.QUARRY_VERSION,
    },
  };
}
