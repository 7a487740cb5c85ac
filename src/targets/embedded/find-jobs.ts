import pLimit from 'p-limit';
import type { JobControl, ListedJob } from '../../bedrock/job-control.ts';
import { DamagedFileError } from '../../core/errors.ts';
import { JobRecord } from '../../core/jobs/job-record.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { runLayout, runsUri, runUriOf } from '../../runs/run-layout.ts';
import { readJson } from '../../store/json-object.ts';
import type { ObjectStore } from '../../store/object-store.ts';

/** A job that writes into this store, and whose it is by its tags. */
export interface QuarryJob extends ListedJob {
  runId: string;
  partId: string;
  attempt: number;
  /** True where no run has a record of it. */
  orphan: boolean;
  /** Why that cannot be told: the file is named that would say it, with what to do. */
  fault?: string;
}

/** Where jobs are looked for. */
export interface JobPlaces {
  store: ObjectStore;
  jobs: JobControl;
  bucket: string;
}

/** Reads of tags at once. */
const CONCURRENT_READS = 8;

/** Every job that was created for a run of this store, the newest first. */
export async function findJobs({ store, jobs, bucket }: JobPlaces): Promise<QuarryJob[]> {
  const listed: ListedJob[] = [];
  for await (const job of jobs.listJobs()) {
    // Others' jobs, and those of runs in other buckets, are none of ours.
    if (job.outputUri.startsWith(`s3://${bucket}/`)) listed.push(job);
  }
  const { known, damaged } = await readJobRecords(store, bucket);
  const found = await pLimit(CONCURRENT_READS).map(listed, async (job): Promise<QuarryJob | undefined> => {
    const tags = await jobs.tagsOf(job.jobArn);
    const [runId, partId] = [tags.get('quarry:run'), tags.get('quarry:part')];
    if (runId === undefined || partId === undefined) return undefined;
    const attempt = Number(tags.get('quarry:attempt') ?? 1);
    const fault = damaged.get(runLayout(runUriOf(bucket, runId)).job(partId));
    if (fault !== undefined) return { ...job, runId, partId, attempt, orphan: false, fault };
    return { ...job, runId, partId, attempt, orphan: !known.has(job.jobArn) };
  });
  return found.filter((job) => job !== undefined);
}

/** The jobs that runs have records of; of a run nothing else is listed than its jobs. */
async function readJobRecords(
  store: ObjectStore,
  bucket: string,
): Promise<{ known: ReadonlySet<string>; damaged: ReadonlyMap<S3Uri, string> }> {
  const damaged = new Map<S3Uri, string>();
  const runs = await Array.fromAsync(store.listFolders(runsUri(bucket)));
  const known = await pLimit(CONCURRENT_READS).map(runs, async (run): Promise<(string | null)[]> => {
    const arns: (string | null)[] = [];
    for await (const { uri } of store.list(`${run}jobs/` as S3Uri)) {
      if (!/\/jobs\/[^/]+\.json$/.test(uri)) continue;
      try {
        arns.push((await readJson(store, uri, JobRecord)).job_arn);
      } catch (error) {
        // One must not hide the others.
        if (!(error instanceof DamagedFileError)) throw error;
        damaged.set(uri, error.message);
      }
    }
    return arns;
  });
  return { known: new Set(known.flat().filter((arn) => arn !== null)), damaged };
}
