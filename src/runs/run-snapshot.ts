import { addStopReasons, type StopReasonCounts } from '../core/jobs/answer-flaws.ts';
import { type JobStatus, outcomeOf } from '../core/jobs/job.ts';
import type { WavePart } from '../core/plan/part.ts';
import { ledgerRowsOf, type RunPlan } from '../core/plan/run-plan.ts';
import {
  addReasons,
  addTokenCounts,
  type Reason,
  type RowCounts,
  type TokenCounts,
} from '../core/run/ledger.ts';
import type { OnDemandProgress, RunEvent, RunEventOf, Transfer } from '../core/run/run-event.ts';
import type { Waiting } from '../core/run/waiting.ts';
import { costUsd, pricesOfRun, type RunPrice } from '../models/catalog/prices.ts';

/** What a run is doing. */
export type RunPhase = 'plan' | 'prepare' | 'run' | 'merge' | 'summarize';

/**
 * Where a part of a wave stands. `waiting`: it has no job yet. `submitted`, `validating`, `queued`, `running`: its job was, or
 * is so. `collecting`: its job has ended. `collected`: what became of its rows is known. `failed`: the same, and none of them has an answer.
 */
export type PartState =
  | 'waiting'
  | 'submitted'
  | 'validating'
  | 'queued'
  | 'running'
  | 'collecting'
  | 'collected'
  | 'failed';

/** A part's job as Bedrock has told of it; counts are null until it does. */
export type PartJob = Pick<
  RunEventOf<'job'>,
  'jobArn' | 'status' | 'submittedAt' | 'totalRecords' | 'processedRecords'
>;

/** One part's turn in one wave. */
export interface PartSnapshot {
  part: WavePart;
  state: PartState;
  /** Why it waits; null where nothing keeps it. */
  waitsFor: Waiting | null;
  job: PartJob | null;
  /** Where it is run on demand, and has begun. */
  onDemand: OnDemandProgress | null;
  /** Null until it is collected. */
  result: Omit<RunEventOf<'collected'>, 'kind' | 'partId'> | null;
}

/** A run at one moment, as its events have told it: plain data. */
export interface RunSnapshot {
  phase: RunPhase;
  /** Files of a Hugging Face dataset on their way into the store, and of a local one into the bucket, by path. */
  downloads: Readonly<Record<string, Transfer>>;
  uploads: Readonly<Record<string, Transfer>>;
  plan: RunPlan | null;
  /** Rows of each part that is prepared. */
  prepared: Readonly<Record<string, { rows: number; records: number }>>;
  /** Waves that are decided. */
  waves: number;
  /** Parts by id, in the order of their waves. */
  parts: Readonly<Record<string, PartSnapshot>>;
}

/** A run of which nothing is known. */
export const EMPTY_SNAPSHOT: RunSnapshot = {
  phase: 'plan',
  downloads: {},
  uploads: {},
  plan: null,
  prepared: {},
  waves: 0,
  parts: {},
};

/** Phases by the state of the state machine that begins them. */
const PHASES: Readonly<Record<string, RunPhase>> = {
  Prepare: 'prepare',
  'Run jobs': 'run',
  Merge: 'merge',
  Summarize: 'summarize',
};

/** The snapshot after an event; an event that comes again changes nothing. */
export function reduceRun(snapshot: RunSnapshot, event: RunEvent): RunSnapshot {
  switch (event.kind) {
    case 'state_entered':
      return { ...snapshot, phase: PHASES[event.state] ?? snapshot.phase };
    case 'downloaded':
      return { ...snapshot, downloads: { ...snapshot.downloads, [event.path]: transferOf(event) } };
    case 'uploaded':
      return { ...snapshot, uploads: { ...snapshot.uploads, [event.path]: transferOf(event) } };
    case 'planned':
      return { ...snapshot, plan: event.plan };
    case 'prepared': {
      const { partId, rows, records } = event;
      const phase = snapshot.phase === 'plan' ? 'prepare' : snapshot.phase;
      return { ...snapshot, phase, prepared: { ...snapshot.prepared, [partId]: { rows, records } } };
    }
    case 'dispatched':
      return dispatch(snapshot, event);
    case 'waiting':
      return changePart(snapshot, event.partId, () => ({
        waitsFor: { error: event.error, message: event.message, since: event.since },
      }));
    case 'notice':
      return snapshot;
    case 'on_demand': {
      const { records, answered, failed, perSecond } = event;
      return changePart(snapshot, event.partId, ({ result }) => ({
        onDemand: { records, answered, failed, perSecond },
        waitsFor: null,
        ...(result === null ? { state: 'running' as const } : {}),
      }));
    }
    case 'job': {
      const { jobArn, status, submittedAt, totalRecords, processedRecords } = event;
      const job = { jobArn, status, submittedAt, totalRecords, processedRecords };
      return changePart(snapshot, event.partId, ({ result }) => ({
        job,
        waitsFor: null,
        ...(result === null ? { state: stateOfJob(status) } : {}),
      }));
    }
    case 'collected': {
      const { kind: _, partId, ...result } = event;
      const hasFailed = result.rows.total > 0 && result.rows.succeeded === 0;
      return changePart(snapshot, partId, () => ({
        result,
        waitsFor: null,
        state: hasFailed ? 'failed' : 'collected',
      }));
    }
  }
}

/** The snapshot after all of these events. */
export function reduceEvents(events: readonly RunEvent[], from: RunSnapshot = EMPTY_SNAPSHOT): RunSnapshot {
  return events.reduce(reduceRun, from);
}

function dispatch(snapshot: RunSnapshot, { wave, parts }: RunEventOf<'dispatched'>): RunSnapshot {
  const fresh = parts
    .filter(({ part_id }) => snapshot.parts[part_id] === undefined)
    .map((part): [string, PartSnapshot] => [
      part.part_id,
      { part, state: 'waiting', waitsFor: null, job: null, onDemand: null, result: null },
    ]);
  return {
    ...snapshot,
    phase: 'run',
    waves: Math.max(snapshot.waves, wave),
    parts: { ...snapshot.parts, ...Object.fromEntries(fresh) },
  };
}

function changePart(
  snapshot: RunSnapshot,
  partId: string,
  change: (part: PartSnapshot) => Partial<PartSnapshot>,
): RunSnapshot {
  const known = snapshot.parts[partId];
  if (known === undefined) return snapshot;
  return { ...snapshot, parts: { ...snapshot.parts, [partId]: { ...known, ...change(known) } } };
}

function transferOf({ path, doneBytes, totalBytes }: Transfer): Transfer {
  return { path, doneBytes, totalBytes };
}

function stateOfJob(status: JobStatus): PartState {
  if (outcomeOf(status).kind === 'ended') return 'collecting';
  switch (status) {
    case 'Submitted':
      return 'submitted';
    case 'Validating':
      return 'validating';
    case 'Scheduled':
      return 'queued';
    default:
      return 'running';
  }
}

/** Why a part waits: what it was told, or that its job has not begun; null where it does not. */
export function waitOf({ job, state, result, waitsFor }: PartSnapshot): Waiting | null {
  if (result !== null) return null;
  if (waitsFor !== null || job?.submittedAt == null) return waitsFor;
  switch (state) {
    case 'queued':
      return {
        error: 'Queued',
        message: 'The job is queued at Bedrock, until there is capacity.',
        since: job.submittedAt,
      };
    case 'validating':
      return {
        error: 'Validating',
        message: 'The job is being validated by Bedrock.',
        since: job.submittedAt,
      };
    default:
      return null;
  }
}

/** A run in numbers. */
export interface RunTotals {
  rows: {
    /** Of the run; null until it is planned. */
    total: number | null;
    prepared: number;
    succeeded: number;
    /** Collected, and without an answer so far. */
    unanswered: number;
    /** Of those, the ones that are owed another attempt. */
    owed: number;
    /** Of those that succeeded, rows whose answer a former run has paid for; absent where none may be. */
    reused?: number | undefined;
  };
  parts: Readonly<Record<PartState, number>>;
  /** Of the parts that are under way. */
  records: { total: number; processed: number };
  tokens: TokenCounts;
  /** Dollars for these tokens by the price table; null where no price of the model is known. */
  costUsd: number | null;
  /** Why rows have no answer so far, the most frequent first. */
  reasons: Reason[];
  /** How answers ended so far, those that are sent again included. */
  stopReasons: StopReasonCounts[];
}

/** The numbers of a snapshot. */
export function totalsOf({ plan, prepared, parts }: RunSnapshot): RunTotals {
  const all = Object.values(parts);
  const results = all.flatMap(({ result }) => result ?? []);
  const sumOf = (rows: readonly RowCounts[], key: keyof RowCounts) =>
    rows.reduce((sum, row) => sum + (row[key] ?? 0), 0);
  // A row that was sent again stands in the result of each of its attempts; the last one counts.
  const repacked = new Set(all.flatMap(({ part }) => part.sources.map(({ part_id }) => part_id)));
  const latest = all.flatMap(({ part, result }) =>
    result === null || repacked.has(part.part_id) ? [] : result,
  );
  const first = all.flatMap(({ part, result }) =>
    part.sources.length === 0 && result !== null ? result.rows : [],
  );
  const succeeded = sumOf(
    results.map(({ rows }) => rows),
    'succeeded',
  );
  const open = all.filter(({ result }) => result === null).flatMap(recordsOf);
  return {
    rows: {
      total: plan === null ? null : ledgerRowsOf(plan),
      prepared: Object.values(prepared).reduce((sum, { rows }) => sum + rows, 0),
      succeeded,
      unanswered: sumOf(first, 'total') - succeeded,
      owed: latest.reduce((sum, { owed }) => sum + owed, 0),
      ...(plan?.reuse === undefined
        ? {}
        : {
            reused: sumOf(
              results.map(({ rows }) => rows),
              'reused',
            ),
          }),
    },
    parts: countStates(all),
    records: {
      total: open.reduce((sum, { total }) => sum + total, 0),
      processed: open.reduce((sum, { processed }) => sum + processed, 0),
    },
    tokens: addTokenCounts(results.map(({ tokens }) => tokens)),
    costUsd: plan === null ? null : costOf(plan, all),
    reasons: addReasons(latest.flatMap(({ reasons }) => reasons)),
    stopReasons: addStopReasons(results.flatMap(({ stopReasons }) => stopReasons)),
  };
}

/** The records of a part that is under way, and how many of them are done. */
function recordsOf({ job, onDemand }: PartSnapshot): { total: number; processed: number }[] {
  if (onDemand !== null) {
    return [{ total: onDemand.records, processed: onDemand.answered + onDemand.failed }];
  }
  return job === null ? [] : [{ total: job.totalRecords ?? 0, processed: job.processedRecords ?? 0 }];
}

function countStates(parts: readonly PartSnapshot[]): Record<PartState, number> {
  const counts = {
    waiting: 0,
    submitted: 0,
    validating: 0,
    queued: 0,
    running: 0,
    collecting: 0,
    collected: 0,
    failed: 0,
  };
  for (const { state } of parts) counts[state] += 1;
  return counts;
}

function costOf(plan: RunPlan, parts: readonly PartSnapshot[]): number | null {
  const prices = pricesOfRun(plan);
  if (prices === undefined) return null;
  return parts.reduce((sum, { part, result }) => {
    const price = prices[part.variant] as RunPrice;
    const rate = part.mode === 'on_demand' ? price.on_demand : price.batch;
    return sum + (result === null ? 0 : costUsd(rate, result.tokens));
  }, 0);
}
