import type { InvocationMode } from '../../core/plan/part.ts';
import { plannedRecords } from '../../core/plan/run-plan.ts';
import type { RowCounts } from '../../core/run/ledger.ts';
import type { Waiting } from '../../core/run/waiting.ts';
import { type PartSnapshot, type PartState, type RunSnapshot, waitOf } from '../../runs/run-snapshot.ts';
import { type PaceSample, partPerMinute } from './pace.ts';

/** What one cell of a map of parts says. */
export type PartCell = 'waiting' | 'validating' | 'queued' | 'running' | 'collected' | 'failed';

/** The job of a part. */
export interface PartJobView {
  arn: string;
  status: string;
  /** Milliseconds since Bedrock took it; null where that is not known, and once it has ended. */
  ageMs: number | null;
  /** Records a minute lately, or since it was submitted; null where none is done yet. */
  perMinute: number | null;
}

/** A part as it is shown. */
export interface PartView {
  partId: string;
  cell: PartCell;
  /** `planned`: it is prepared, and no wave has it yet. */
  state: PartState | 'planned';
  /** Null until a wave has it. */
  wave: number | null;
  attempt: number;
  mode: InvocationMode | null;
  /** True where it gathers what other parts owe. */
  isRepair: boolean;
  records: number;
  /** Records that are through, by the last count. */
  done: number;
  job: PartJobView | null;
  waiting: Waiting | null;
  /** What became of its rows; null until it is collected. */
  rows: RowCounts | null;
  /** What is to be said of it, the causes of failures included. */
  messages: readonly string[];
}

/** What is known beside the snapshot. */
interface Around {
  atMs: number;
  samples: readonly PaceSample[];
}

/** The parts of the waves, and then those that are prepared for a later one. */
export function partsOf(snapshot: RunSnapshot, around: Around): PartView[] {
  const later = Object.entries(snapshot.prepared)
    .filter(([partId]) => snapshot.parts[partId] === undefined)
    .map(
      ([partId, { records }]): PartView => ({
        partId,
        cell: 'waiting',
        state: 'planned',
        wave: null,
        attempt: 0,
        mode: null,
        isRepair: false,
        records,
        done: 0,
        job: null,
        waiting: null,
        rows: null,
        messages: [],
      }),
    )
    .sort((a, b) => (a.partId < b.partId ? -1 : 1));
  return [...Object.values(snapshot.parts).map((part) => viewOf(part, around)), ...later];
}

/** Records that are through of each part that is not collected, by part. */
export function doneOfParts({ parts }: RunSnapshot): Record<string, number> {
  return Object.fromEntries(
    Object.values(parts)
      .filter(({ result }) => result === null)
      .map((part) => [part.part.part_id, doneOf(part)]),
  );
}

/** The records of all parts so far, those that are sent again counted again. */
export function recordsOf({ plan, prepared, parts }: RunSnapshot): { done: number; total: number } {
  const turns = Object.values(parts);
  const dispatched = turns.reduce((sum, { part }) => sum + part.records, 0);
  const repairs = turns.reduce((sum, { part }) => sum + (part.sources.length === 0 ? 0 : part.records), 0);
  const ready = Object.values(prepared).reduce((sum, { records }) => sum + records, 0);
  const planned = plan === null ? 0 : plannedRecords(plan) * plan.variants.length;
  // Rows that are not sent are known once all parts are prepared.
  const ofDataset =
    plan !== null && Object.keys(prepared).length < plan.parts ? Math.max(ready, planned) : ready;
  return {
    done: turns.reduce((sum, part) => sum + doneOf(part), 0),
    total: Math.max(dispatched, ofDataset + repairs),
  };
}

function viewOf(turn: PartSnapshot, { atMs, samples }: Around): PartView {
  const { part, state, result } = turn;
  return {
    partId: part.part_id,
    cell: cellOf(state),
    state,
    wave: part.wave,
    attempt: part.attempt,
    mode: part.mode,
    isRepair: part.sources.length > 0,
    records: part.records,
    done: doneOf(turn),
    job: jobOf(turn, { atMs, samples }),
    waiting: waitOf(turn),
    rows: result?.rows ?? null,
    messages: messagesOf(turn),
  };
}

function jobOf(
  { part, job, onDemand, result, state }: PartSnapshot,
  { atMs, samples }: Around,
): PartJobView | null {
  if (job === null) return null;
  const submittedMs = job.submittedAt === null ? Number.NaN : Date.parse(job.submittedAt);
  const ageMs = result === null && atMs >= submittedMs ? atMs - submittedMs : null;
  const done = job.processedRecords ?? 0;
  const average = ageMs === null || ageMs === 0 || done === 0 ? null : done / (ageMs / 60_000);
  const isRunning = state === 'running' && onDemand === null;
  return {
    arn: job.jobArn,
    status: result?.jobStatus ?? job.status,
    ageMs,
    perMinute: isRunning ? (partPerMinute(samples, part.part_id) ?? average) : null,
  };
}

function doneOf({ part, job, onDemand, result }: PartSnapshot): number {
  if (result !== null) return part.records;
  if (onDemand !== null) return Math.min(part.records, onDemand.answered + onDemand.failed);
  return Math.min(part.records, job?.processedRecords ?? 0);
}

function messagesOf({ part, job, result }: PartSnapshot): string[] {
  const n = (value: number) => value.toLocaleString('en-US');
  if (result === null) {
    return part.mode === 'on_demand' && job === null ? ['It is run on demand, record by record.'] : [];
  }
  const { rows, owed, reasons, jobStatus } = result;
  return [
    ...(jobStatus === null ? [] : [`Its job ended as ${jobStatus}.`]),
    `${n(rows.succeeded)} of ${n(rows.total)} rows answered, ${n(rows.failed)} failed, ${n(rows.not_sent)} not sent; ${n(owed)} to be sent again.`,
    ...reasons.map(
      ({ error_code, rows: affected, example_record_id, example_message }) =>
        `${error_code}: ${n(affected)}, such as ${example_record_id}: ${example_message}`,
    ),
  ];
}

function cellOf(state: PartState): PartCell {
  switch (state) {
    case 'submitted':
    case 'validating':
      return 'validating';
    case 'collecting':
      return 'running';
    default:
      return state;
  }
}
