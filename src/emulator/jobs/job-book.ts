import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StoredJob } from './stored-job.ts';

/** All jobs there ever were, each in a JSON file of its own that is replaced whole at each change. */
export interface JobBook {
  /** In the order of their making. */
  all(): readonly StoredJob[];
  byId(jobId: string): StoredJob | undefined;
  byToken(token: string): StoredJob | undefined;
  byName(jobName: string): StoredJob | undefined;
  /** Adds at once; the promise settles when it is on disk. */
  add(job: StoredJob): Promise<void>;
  /** Writes the job as it is now, after all earlier writes of it. */
  save(job: StoredJob): Promise<void>;
}

/** Opens the book in a directory, with what an earlier emulator left there. */
export async function openJobBook(directory: string): Promise<JobBook> {
  await mkdir(directory, { recursive: true });
  const ids = new Map<string, StoredJob>();
  const tokens = new Map<string, StoredJob>();
  const names = new Map<string, StoredJob>();
  const jobs: StoredJob[] = [];
  const writes = new Map<string, Promise<void>>();

  const enter = (job: StoredJob) => {
    jobs.push(job);
    ids.set(job.jobId, job);
    names.set(job.jobName, job);
    if (job.clientRequestToken !== undefined) tokens.set(job.clientRequestToken, job);
  };
  const save = (job: StoredJob) => {
    const text = JSON.stringify(job, undefined, 1);
    const before = (writes.get(job.jobId) ?? Promise.resolve()).catch(() => undefined);
    const write = before.then(() => replaceFile(join(directory, `${job.jobId}.json`), text));
    writes.set(job.jobId, write);
    return write;
  };

  const stored: StoredJob[] = [];
  for (const name of await readdir(directory)) {
    if (name.endsWith('.json'))
      stored.push(StoredJob.parse(JSON.parse(await readFile(join(directory, name), 'utf8'))));
    else await rm(join(directory, name), { force: true });
  }
  for (const job of stored.sort((a, b) => a.ordinal - b.ordinal)) enter(job);

  return {
    all: () => jobs,
    byId: (jobId) => ids.get(jobId),
    byToken: (token) => tokens.get(token),
    byName: (jobName) => names.get(jobName),
    add: (job) => {
      enter(job);
      return save(job);
    },
    save,
  };
}

/** Writes a file so that a killed process leaves the old text or the new one. */
export async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text);
  await rename(`${path}.tmp`, path);
}
