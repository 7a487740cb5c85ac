import { systemClock } from '../core/clock.ts';
import type { BatchQuotas } from '../core/jobs/quotas.ts';
import type { RunEvent } from '../core/run/run-event.ts';
import { VERSION } from '../core/version.ts';
import { runsUri } from '../runs/run-layout.ts';
import type { AwsRunTarget, BedrockRunTarget, LocalRunTarget, RunTarget } from '../runs/run-target.ts';
import type { PlanDeps } from '../steps/deps.ts';
import { createDirectoryStore } from '../store/directory-store.ts';
import type { ObjectStore } from '../store/object-store.ts';
import {
  type BedrockTargetOptions,
  bedrockPlanDeps,
  openBedrockTarget,
  openRunBucket,
} from './bedrock/bedrock-target.ts';
import { uploadDataset } from './bedrock/upload-dataset.ts';
import type { EngineTarget } from './embedded/engine-target.ts';
import type { StagedDataset } from './local/local-dataset.ts';
import { askedPlanDeps, LOCAL_BUCKET, openLocalTarget, sha256 } from './local/local-target.ts';
import { modelServerOfTarget } from './local/model-endpoint.ts';
import { stageDataset } from './local/stage-dataset.ts';

/** The files of a target's runs. */
export interface RunFiles extends Disposable {
  /** The folder of `--dir`: of this machine's own files. */
  dir: string;
  target: RunTarget;
  store: ObjectStore;
  bucket: string;
  /** Throws where the files cannot be reached at all. */
  requireReachable(): Promise<void>;
  /** Puts a local dataset where a run reads it. */
  stage(paths: readonly string[], options: StageOptions): Promise<StagedDataset>;
  /** What planning needs; the emulator that a run would use is asked who answers there. */
  planDeps(): Promise<PlanDeps>;
  /** Opens what a run needs beside them; `asks` is the model that will be asked, if one will be. */
  openEngine(asks?: string): Promise<EngineTarget>;
}

/** Who is told how far a dataset is, and what stops it. */
export interface StageOptions {
  onProgress: (progress: RunEvent) => void;
  signal?: AbortSignal;
  /** What the files are said to be; undefined where their names tell. */
  format?: string | undefined;
  /** True where no run is made: files that need not be moved to be read are left where they are. */
  isDraft?: boolean | undefined;
}

/** Opens the files of a target's runs. Nothing is asked of them yet. */
export function openRunFiles(target: RunTarget, dir: string): RunFiles {
  switch (target.kind) {
    case 'local': {
      const options = {
        directory: dir,
        clock: systemClock,
        version: VERSION,
        modelServer: modelServerOfTarget(target),
        quotas: quotasOf(target),
        emulatorUrl: target.emulator_url ?? undefined,
      };
      return {
        dir,
        target,
        store: createDirectoryStore(dir),
        bucket: LOCAL_BUCKET,
        planDeps: () => askedPlanDeps(options),
        requireReachable: async () => {},
        stage: (paths, { format, isDraft }) =>
          stageDataset(paths, { directory: dir, bucket: LOCAL_BUCKET, hash: sha256, format, isDraft }),
        openEngine: (asks) => openLocalTarget({ ...options, asks }),
        [Symbol.dispose]: () => {},
      };
    }
    case 'bedrock':
      return openBucketFiles(target, dir, {
        bucketOwner: target.bucket_owner ?? undefined,
        // Without one no job is created: a run is only looked at, or cancelled.
        roleArn: target.role_arn ?? '',
        pollSeconds: target.poll_seconds,
        quotas: quotasOf(target),
      });
    case 'aws':
      // The engine there is the stack's own; jobs are only looked at from here.
      return openBucketFiles(target, dir, {
        bucketOwner: target.bucket_owner,
        roleArn: '',
        pollSeconds: 1,
        quotas: target.limits as Partial<BatchQuotas>,
        quotaSource: 'stack',
      });
  }
}

/** What is known of the account's quotas; of the others Quarry's defaults hold. */
function quotasOf({
  records_per_job_quota: records,
}: LocalRunTarget | BedrockRunTarget): Partial<BatchQuotas> {
  return records === null ? {} : { maxRecordsPerJob: records };
}

function openBucketFiles(
  target: BedrockRunTarget | AwsRunTarget,
  dir: string,
  more: Pick<BedrockTargetOptions, 'bucketOwner' | 'roleArn' | 'pollSeconds' | 'quotas' | 'quotaSource'>,
): RunFiles {
  const options = {
    directory: dir,
    bucket: target.bucket,
    region: target.region,
    profile: target.profile ?? undefined,
    clock: systemClock,
    version: VERSION,
    ...more,
  };
  const { store, client, [Symbol.dispose]: dispose } = openRunBucket(options);
  return {
    dir,
    target,
    store,
    bucket: target.bucket,
    planDeps: async () => bedrockPlanDeps(store, options),
    requireReachable: async () => {
      // A listing, since S3 says to a HEAD neither where a bucket is nor why it may not be read.
      await store.list(runsUri(target.bucket))[Symbol.asyncIterator]().next();
    },
    stage: (paths, { onProgress, signal, format }) =>
      uploadDataset(paths, {
        format,
        client,
        store,
        directory: dir,
        bucket: target.bucket,
        bucketOwner: options.bucketOwner,
        onProgress,
        signal,
      }),
    openEngine: async () => openBedrockTarget(options),
    [Symbol.dispose]: dispose,
  };
}
