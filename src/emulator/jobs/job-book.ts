import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { renderJson } from '../../store/json-document.ts';
import type { Notify } from '../notices.ts';
import { readStateFile, replaceFileForGood } from './state-file.ts';
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

/** Opens the book in a directory, with what an earlier emulator left there; a file that cannot be read is told of. */
export async function openJobBook(directory: string, notify: Notify): Promise<JobBook> {
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
    const text = renderJson(job);
    const before = (writes.get(job.jobId) ?? Promise.resolve()).catch(() => undefined);
    const write = before.then(() => replaceFileForGood(join(directory, `${job.jobId}.json`), text));
    writes.set(job.jobId, write);
    return write;
  };
  for (const job of await readJobs(directory, notify)) enter(job);

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

async function readJobs(directory: string, notify: Notify): Promise<StoredJob[]> {
  const files = await readdir(directory);
  for (const name of files) {
    if (name.endsWith('.tmp')) await rm(join(directory, name), { force: true });
  }
  const found = new Set(files.flatMap((name) => /^(.+\.json)(?:\.before)?$/.exec(name)?.[1] ?? []));
  const jobs: StoredJob[] = [];
  for (const name of found) {
    const path = join(directory, name);
    const { value: job, damage } = await readStateFile(path, StoredJob);
    if (job !== undefined) jobs.push(job);
    if (damage !== undefined) await tellDamage(path, { damage, job }, notify);
  }
  return jobs.sort((a, b) => a.ordinal - b.ordinal);
}

async function tellDamage(
  path: string,
  { damage, job }: { damage: string; job: StoredJob | undefined },
  notify: Notify,
): Promise<void> {
  const what = `${path} could not be read: ${damage}. It held a job of the emulator.`;
  if (job !== undefined) {
    notify({
      kind: 'state-damaged',
      message: `${what} The job "${job.jobName}" continues from the previous copy; there is nothing to do.`,
    });
    return;
  }
  await rename(path, `${path}.damaged`);
  await rm(`${path}.before`, { force: true });
  notify({
    kind: 'state-damaged',
    message: `${what} It is now ${path}.damaged, and the job is forgotten: what waits for it finds none, and a run sends those rows again. To keep the job, stop everything that uses this folder, put the file back from a backup, and start again.`,
  });
}
