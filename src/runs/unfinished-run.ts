import type { StopReasonCounts } from '../core/jobs/answer-flaws.ts';
import { ledgerRowsOf, type RunPlan } from '../core/plan/run-plan.ts';
import type { Reason, TokenCounts } from '../core/run/ledger.ts';
import type { RunFailure } from '../core/run/run-stop.ts';
import type { Waiting } from '../core/run/waiting.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { type RunDollars, runDollars } from './run-dollars.ts';
import { readSnapshot, type SeenJob } from './run-files-watch.ts';
import { doubtAbout } from './run-lock.ts';
import { type PartState, type RunPhase, type RunSnapshot, totalsOf, waitOf } from './run-snapshot.ts';
import { type RunCondition, type RunStanding, type StoredRun, standingOf } from './run-store.ts';
import type { StepWaiting } from './step-waiting.ts';

/** What is known of a run that has not ended, as `--json` prints it. */
export interface UnfinishedRun {
  run_id: string;
  status: RunCondition;
  /** The process at work on it; null where there is none. */
  process: {
    pid: number;
    host: string;
    since: string;
    /** Why it may never let go of the run, and what to do; null where it is simply at work. */
    advice: string | null;
  } | null;
  /** What broke it the last time; null where nothing did, or somebody is working on it again. */
  failure: RunFailure | null;
  phase: RunPhase;
  waves: number;
  rows: {
    total: number;
    prepared: number;
    succeeded: number;
    /** Collected, and without an answer so far. */
    unanswered: number;
    /** Of those, the ones that are owed another attempt. */
    owed: number;
    /** Of those that succeeded, rows whose answer a former run has paid for; absent where none may be. */
    reused?: number | undefined;
  };
  /** Parts planned and prepared, and those of waves by where they stand. */
  parts: { planned: number; prepared: number } & Record<PartState, number>;
  /** Of the jobs that are under way. */
  records: { total: number; processed: number };
  /** Why parts have to wait, each reason with the number of parts and since when the first of them does. */
  waiting: (Waiting & { parts: number })[];
  /** Steps of the whole run that are tried again, why, since when, and when they were tried the last time. */
  retrying: readonly StepWaiting[];
  tokens: TokenCounts;
  /** Dollars for these tokens by the price table; null where no price of the model is known. */
  cost_usd: number | null;
  /** The same beside what is expected of the whole and what it may be, in dollars. */
  usd: RunDollars;
  /** Why the service could not be asked for the jobs that are under way; null where it could, or nobody serves there. */
  jobs_fault: string | null;
  /** Jobs of collected parts by the status they ended with. */
  jobs: Record<string, number>;
  /** Why rows have no answer so far, the most frequent first. */
  reasons: Reason[];
  /** How answers ended so far, those that are sent again included. */
  stop_reasons: StopReasonCounts[];
}

/** What a run is read with. */
export interface UnfinishedOptions {
  store: ObjectStore;
  /** Why a part of a wave waits, by its files. */
  waitingOf: (partId: string) => Promise<Waiting | undefined>;
  /** The jobs of a run, where the service may be asked for them. */
  jobsOf?: ((plan: RunPlan) => AsyncIterable<SeenJob>) | undefined;
  /** True where an AWS account pays. */
  isPaid: boolean;
  /** Why it could not be asked, once it was. */
  jobsFault?: () => string | undefined;
}

/** Reads where a run stands that has not ended. */
export async function readUnfinishedRun(
  run: StoredRun,
  { store, jobsOf, jobsFault, waitingOf, isPaid }: UnfinishedOptions,
): Promise<UnfinishedRun> {
  const [standing, { retries, ...snapshot }] = await Promise.all([
    standingOf(run, store),
    readSnapshot({ layout: run.layout, store, jobsOf, waitingOf, isPaid }),
  ]);
  const { worker } = standing;
  const place = store.localPath?.(run.layout.lock) ?? run.layout.lock;
  const advice = worker === undefined ? '' : (await doubtAbout(worker, place)).trim();
  return {
    ...describeRun(run.plan, { ...standing, advice }, snapshot),
    retrying: retries,
    usd: runDollars(snapshot, isPaid),
    jobs_fault: jobsFault?.() ?? null,
  };
}

function describeRun(
  plan: RunPlan,
  { condition, worker, failure, advice }: RunStanding & { advice: string },
  snapshot: RunSnapshot,
): Omit<UnfinishedRun, 'jobs_fault' | 'retrying' | 'usd'> {
  const { rows, parts, records, tokens, costUsd, reasons, stopReasons } = totalsOf(snapshot);
  const turns = Object.values(snapshot.parts);
  const ended = turns.flatMap(({ result }) => result?.jobStatus ?? []);
  return {
    run_id: plan.run_id,
    status: condition,
    process:
      worker === undefined
        ? null
        : {
            pid: worker.process.pid,
            host: worker.process.host,
            since: worker.since,
            advice: advice || null,
          },
    failure: worker === undefined ? (failure ?? null) : null,
    phase: snapshot.phase,
    waves: snapshot.waves,
    rows: { ...rows, total: ledgerRowsOf(plan) },
    parts: { planned: plan.parts, prepared: Object.keys(snapshot.prepared).length, ...parts },
    records,
    waiting: addWaits(turns.flatMap((turn) => waitOf(turn) ?? [])),
    tokens,
    cost_usd: costUsd,
    jobs: Object.fromEntries(
      [...Map.groupBy(ended, (status) => status)].map(([status, of]) => [status, of.length]),
    ),
    reasons,
    stop_reasons: stopReasons,
  };
}

/** One wait for each reason, the one of the most parts first. */
function addWaits(waits: readonly Waiting[]): UnfinishedRun['waiting'] {
  return [...Map.groupBy(waits, ({ error }) => error).values()]
    .map((group) => {
      const [first, ...others] = group.toSorted((a, b) => (a.since < b.since ? -1 : 1));
      return first === undefined ? undefined : { ...first, parts: 1 + others.length };
    })
    .filter((waiting) => waiting !== undefined)
    .sort((a, b) => b.parts - a.parts);
}
