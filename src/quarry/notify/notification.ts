import { createHash } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { QuarryError } from '../../core/errors.ts';
import type { RunSummary } from '../../core/run/summary.ts';
import type { RunEnd } from '../runs/run.ts';
import { runIdOf } from '../runs/run-errors.ts';

/** What is told of a run's end: JSON, of the envelope that https://www.standardwebhooks.com has. */
export interface RunNotification {
  type: 'run.ended';
  /** When it was told first. */
  timestamp: string;
  /** One line for people; what chats show of a message. Nothing of the dataset is in it. */
  text: string;
  data: NotifiedRun;
}

/** How a run ended. Counts and prices are those of its summary; null where it has none. */
export interface NotifiedRun {
  /** Null where the run was refused before it had one. */
  run_id: string | null;
  /** As in the summary, or `failed`: it broke, and `resume` goes on with it once that is mended. */
  status: RunSummary['status'] | 'failed';
  error: { name: string; message: string } | null;
  rows: RunSummary['rows'] | null;
  jobs: number | null;
  tokens: RunSummary['tokens'] | null;
  /** US dollars that an account paid; null where none did, or no price is known. */
  cost_usd: number | null;
  simulated: boolean;
  model_id: string | null;
  started_at: string | null;
  ended_at: string | null;
  /** The result files: paths of the machine that ran it, or S3 URIs. */
  files: readonly string[];
  /** Its report, a page to show: a path or an S3 URI likewise; null where there is none. */
  report: string | null;
}

/** A notification of a run that has ended. */
export function endedNotification(
  { summary, files, report }: RunEnd,
  clock: Pick<Clock, 'now'>,
): RunNotification {
  const { run_id, status, rows, jobs, tokens, simulated, model_id, started_at, ended_at } = summary;
  const isPaid = !simulated && summary.billed !== false;
  return {
    type: 'run.ended',
    timestamp: new Date(clock.now()).toISOString(),
    text: `Quarry run ${run_id}: ${status.replaceAll('_', ' ')}; ${rows.succeeded.toLocaleString('en-US')} of ${rows.total.toLocaleString('en-US')} rows answered${simulated ? ', by a simulated model' : ''}.`,
    data: {
      run_id,
      status,
      error: null,
      rows,
      jobs,
      tokens,
      cost_usd: isPaid ? summary.cost_usd : null,
      simulated,
      model_id,
      started_at,
      ended_at,
      files,
      report,
    },
  };
}

/** What stands for the message of an error that is none of ours: it may quote anything. */
const UNNAMED = 'What it says is shown where the run ran.';

/** A notification of a run that broke. */
export function failedNotification(error: Error, clock: Pick<Clock, 'now'>): RunNotification {
  const run_id = runIdOf(error) ?? null;
  const { name } = error;
  const message = error instanceof QuarryError ? error.publicMessage : UNNAMED;
  return {
    type: 'run.ended',
    timestamp: new Date(clock.now()).toISOString(),
    text: `Quarry run ${run_id ?? '(not planned)'}: failed; ${name}: ${message}`,
    data: {
      run_id,
      status: 'failed',
      error: { name, message },
      rows: null,
      jobs: null,
      tokens: null,
      cost_usd: null,
      simulated: false,
      model_id: null,
      started_at: null,
      ended_at: null,
      files: [],
      report: null,
    },
  };
}

/** The same for the same end of the same run, however often it is told, so that a receiver can tell repetitions. */
export function notificationId({ timestamp, data }: RunNotification): string {
  const { run_id, status, ended_at } = data;
  const identity = JSON.stringify([run_id, status, ended_at ?? timestamp]);
  return `run_${createHash('sha256').update(identity).digest('hex').slice(0, 24)}`;
}
