import { createReadStream } from 'node:fs';
import { appendFile, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { linesOf } from '../../core/text/lines.ts';
import { digestOf } from '../faults/seeded-random.ts';
import type { JobBook } from '../jobs/job-book.ts';
import type { EmulatedStatus, StoredJob } from '../jobs/stored-job.ts';
import type { Notify } from '../notices.ts';

/** What was answered, and so paid for. */
export interface EmulatorUsage {
  jobs: JobUsage[];
  totals: { jobs: number; answered: number; errors: number; inputTokens: number; outputTokens: number };
  onDemand: { calls: number; inputTokens: number; outputTokens: number };
  /** Undefined unless the emulator tracks records. */
  tracked: TrackedUsage | undefined;
}

/** The part of one job. */
export interface JobUsage {
  jobArn: string;
  jobName: string;
  modelId: string;
  status: EmulatedStatus;
  totalRecords: number;
  answered: number;
  errors: number;
  inputTokens: number;
  outputTokens: number;
}

/** What only an emulator that tracks records knows. */
export interface TrackedUsage {
  /** Different record ids with an answer. */
  recordIds: number;
  /** Record ids that were answered more than once over all jobs. */
  answeredMoreThanOnce: { recordId: string; times: number }[];
  /** Different bodies with an answer, of batch records and calls on demand. */
  bodies: number;
  /** Bodies answered more than once over all jobs and calls: equal rows, or a row that was paid for twice. */
  bodiesAnsweredMoreThanOnce: { digest: string; times: number }[];
}

/** Keeps what was used, over restarts. */
export interface UsageBook {
  addOnDemand(call: {
    modelId: string;
    inputTokens: number;
    outputTokens: number;
    bodyText: string;
  }): Promise<void>;
  report(): Promise<EmulatorUsage>;
}

const OnDemandCall = z.object({
  modelId: z.string(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  digest: z.string(),
});

type OnDemandCall = z.infer<typeof OnDemandCall>;

/** The usage of the jobs in a book and of the calls in the state directory. */
export async function openUsageBook(
  stateDirectory: string,
  { book, trackRecords, notify }: { book: JobBook; trackRecords: boolean; notify: Notify },
): Promise<UsageBook> {
  const callsPath = join(stateDirectory, 'on-demand.jsonl');
  const answersDirectory = join(stateDirectory, 'answers');
  await mkdir(answersDirectory, { recursive: true });
  let onDemand = sumOfCalls(await readCalls(callsPath));
  return {
    addOnDemand: async ({ bodyText, ...call }) => {
      onDemand = addCall(onDemand, call);
      const line = `${JSON.stringify({ ...call, digest: digestOf(bodyText) })}\n`;
      // The answer that was paid for is worth more than its line here.
      await appendFile(callsPath, line).catch((error: Error) =>
        notify({
          kind: 'state-damaged',
          message: `A call on demand could not be written into ${callsPath}: ${error.message}. After a restart, the usage lacks it.`,
        }),
      );
    },
    report: async () => {
      const jobs = book.all().map(jobUsageOf);
      return {
        jobs,
        totals: totalsOf(jobs),
        onDemand,
        tracked: trackRecords
          ? await trackUsage(book.all(), { answersDirectory, calls: await readCalls(callsPath) })
          : undefined,
      };
    },
  };
}

type OnDemandUsage = EmulatorUsage['onDemand'];

function sumOfCalls(calls: readonly OnDemandCall[]): OnDemandUsage {
  return calls.reduce(addCall, { calls: 0, inputTokens: 0, outputTokens: 0 });
}

function addCall(
  { calls, inputTokens, outputTokens }: OnDemandUsage,
  call: { inputTokens: number; outputTokens: number },
): OnDemandUsage {
  return {
    calls: calls + 1,
    inputTokens: inputTokens + call.inputTokens,
    outputTokens: outputTokens + call.outputTokens,
  };
}

function jobUsageOf(job: StoredJob): JobUsage {
  const { jobArn, jobName, modelId, status, totalRecords, isBilled, counts } = job;
  return {
    jobArn,
    jobName,
    modelId,
    status,
    totalRecords: totalRecords ?? 0,
    answered: isBilled ? counts.success : 0,
    errors: isBilled ? counts.error : 0,
    inputTokens: isBilled ? counts.inputTokens : 0,
    outputTokens: isBilled ? counts.outputTokens : 0,
  };
}

function totalsOf(jobs: readonly JobUsage[]): EmulatorUsage['totals'] {
  const sum = (pick: (job: JobUsage) => number) => jobs.reduce((total, job) => total + pick(job), 0);
  return {
    jobs: jobs.length,
    answered: sum((job) => job.answered),
    errors: sum((job) => job.errors),
    inputTokens: sum((job) => job.inputTokens),
    outputTokens: sum((job) => job.outputTokens),
  };
}

/** Counts the answers to each record id and each body, by what the jobs and calls have left on the disk. */
async function trackUsage(
  jobs: readonly StoredJob[],
  { answersDirectory, calls }: { answersDirectory: string; calls: readonly OnDemandCall[] },
): Promise<TrackedUsage> {
  const records = new Map<string, number>();
  const bodies = new Map<string, number>();
  for (const job of jobs) {
    if (!job.isBilled) continue;
    const path = join(answersDirectory, `${job.jobId}.txt`);
    // A job that ended before its first answer has no such file.
    if (!(await exists(path))) continue;
    for await (const bytes of linesOf(createReadStream(path))) {
      const line = bytes.toString();
      const tab = line.lastIndexOf('\t');
      count(records, line.slice(0, tab));
      count(bodies, line.slice(tab + 1));
    }
  }
  for (const { digest } of calls) count(bodies, digest);
  return {
    recordIds: records.size,
    answeredMoreThanOnce: repeated(records).map(([recordId, times]) => ({ recordId, times })),
    bodies: bodies.size,
    bodiesAnsweredMoreThanOnce: repeated(bodies).map(([digest, times]) => ({ digest, times })),
  };
}

function count(times: Map<string, number>, key: string): void {
  times.set(key, (times.get(key) ?? 0) + 1);
}

function repeated(times: ReadonlyMap<string, number>): [string, number][] {
  return [...times].filter(([, number]) => number > 1);
}

async function readCalls(path: string): Promise<OnDemandCall[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  // A line that a killed process or a full disk left without its end is no call.
  return text.split('\n').flatMap((line) => readCall(line) ?? []);
}

function readCall(line: string): OnDemandCall | undefined {
  try {
    return OnDemandCall.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
