import { createReadStream } from 'node:fs';
import { appendFile, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { linesOf } from '../../core/text/lines.ts';
import { digestOf } from '../faults/seeded-random.ts';
import type { JobBook } from '../jobs/job-book.ts';
import type { EmulatedStatus } from '../jobs/stored-job.ts';
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

/** The usage of the jobs in a book and of the calls in the state directory. */
export async function openUsageBook(
  stateDirectory: string,
  { book, trackRecords, notify }: { book: JobBook; trackRecords: boolean; notify: Notify },
): Promise<UsageBook> {
  const callsPath = join(stateDirectory, 'on-demand.jsonl');
  const answersDirectory = join(stateDirectory, 'answers');
  await mkdir(answersDirectory, { recursive: true });
  const onDemand = { calls: 0, inputTokens: 0, outputTokens: 0 };
  const enter = (call: { inputTokens: number; outputTokens: number }) => {
    onDemand.calls += 1;
    onDemand.inputTokens += call.inputTokens;
    onDemand.outputTokens += call.outputTokens;
  };
  const readCalls = async () => {
    const text = await readFile(callsPath, 'utf8').catch(() => '');
    // A line that a killed process or a full disk left without its end is no call.
    return text.split('\n').flatMap((line) => readCall(line) ?? []);
  };
  for (const call of await readCalls()) enter(call);

  const track = async (): Promise<TrackedUsage> => {
    const records = new Map<string, number>();
    const bodies = new Map<string, number>();
    const count = (times: Map<string, number>, key: string) => times.set(key, (times.get(key) ?? 0) + 1);
    for (const job of book.all()) {
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
    for (const { digest } of await readCalls()) count(bodies, digest);
    const repeated = (times: Map<string, number>) => [...times].filter(([, count]) => count > 1);
    return {
      recordIds: records.size,
      answeredMoreThanOnce: repeated(records).map(([recordId, times]) => ({ recordId, times })),
      bodies: bodies.size,
      bodiesAnsweredMoreThanOnce: repeated(bodies).map(([digest, times]) => ({ digest, times })),
    };
  };

  return {
    addOnDemand: async ({ bodyText, ...call }) => {
      enter(call);
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
      const jobs = book.all().map(
        (job): JobUsage => ({
          jobArn: job.jobArn,
          jobName: job.jobName,
          modelId: job.modelId,
          status: job.status,
          totalRecords: job.totalRecords ?? 0,
          answered: job.isBilled ? job.counts.success : 0,
          errors: job.isBilled ? job.counts.error : 0,
          inputTokens: job.isBilled ? job.counts.inputTokens : 0,
          outputTokens: job.isBilled ? job.counts.outputTokens : 0,
        }),
      );
      const sum = (pick: (job: JobUsage) => number) => jobs.reduce((total, job) => total + pick(job), 0);
      return {
        jobs,
        totals: {
          jobs: jobs.length,
          answered: sum((job) => job.answered),
          errors: sum((job) => job.errors),
          inputTokens: sum((job) => job.inputTokens),
          outputTokens: sum((job) => job.outputTokens),
        },
        onDemand: { ...onDemand },
        tracked: trackRecords ? await track() : undefined,
      };
    },
  };
}

function readCall(line: string): z.infer<typeof OnDemandCall> | undefined {
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
