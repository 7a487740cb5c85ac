import { modelsOf, plannedRecords, type RunPlan } from '../../core/plan/run-plan.ts';
import type { Reason, RowCounts, TokenCounts } from '../../core/run/ledger.ts';
import type { RunSummary } from '../../core/run/summary.ts';
import type { Waiting } from '../../core/run/waiting.ts';
import { runDollars } from '../../runs/run-dollars.ts';
import { type RunSnapshot, type RunTotals, totalsOf } from '../../runs/run-snapshot.ts';
import type { RunCondition } from '../../runs/run-store.ts';
import type { RunTarget } from '../../runs/run-target.ts';
import type { ShownAnswer } from './newest-answers.ts';
import { type PaceSample, recordsPerMinute } from './pace.ts';
import { type TimeLeft, timeLeft } from './time-left.ts';
import { type PartView, partsOf, recordsOf } from './watch-parts.ts';
import { type PhaseView, phasesOf } from './watch-phases.ts';

/** All that one look at a run found, and what earlier looks left. */
export interface SeenRun {
  runId: string;
  /** Milliseconds since 1970. */
  atMs: number;
  target: RunTarget['kind'];
  condition: RunCondition;
  /** Who is working on it: a process or an execution; null where nobody is. */
  worker: string | null;
  snapshot: RunSnapshot;
  /** How it ended; undefined until it has. */
  summary: RunSummary | undefined;
  /** Parts whose rows are merged, of those that are; undefined before that begins. */
  merging: { done: number; total: number } | undefined;
  /** Jobs that hold slots of its models and are not its own; null where nobody tells. */
  heldByOthers: number | null;
  samples: readonly PaceSample[];
  /** The newest first. */
  answers: readonly ShownAnswer[];
  /** What whoever looks should know: why jobs could not be read, what broke the run. */
  notices: readonly string[];
}

/** Dollars by the price table; each null where it is not known. */
export interface WatchDollars {
  /** False where no AWS account pays: then all of it is what Bedrock would take. */
  isPaid: boolean;
  /** For the tokens of what is collected. */
  soFar: number | null;
  /** Of the whole run: by what is collected, before that as the plan expects it. */
  expected: number | null;
  /** With the longest answers, every row sent once. */
  most: number | null;
  /** `max_cost_usd`. */
  cap: number | null;
}

/** A run as it is shown at one moment: decided here, and only drawn by whoever draws it. */
export interface WatchView {
  runId: string;
  /** ISO 8601. */
  at: string;
  target: RunTarget['kind'];
  condition: RunCondition;
  hasEnded: boolean;
  worker: string | null;
  modelId: string | null;
  /** True where the answers are a simulated model's. */
  isSimulated: boolean;
  phases: readonly PhaseView[];
  /** In the order of their waves; those that no wave has yet come last. */
  parts: readonly PartView[];
  /** Parts that are planned and not prepared, and so have no name yet. */
  unnamedParts: number;
  rows: RunTotals['rows'];
  /** Of all parts so far. */
  records: { done: number; total: number };
  /** Lately; null where it is not known. */
  recordsPerMinute: number | null;
  /** Null where nothing is under way. */
  left: TimeLeft | null;
  /** Slots of the account for its jobs, and how many of them other jobs hold now; null where nobody tells. */
  slots: { atOnce: number; heldByOthers: number } | null;
  dollars: WatchDollars;
  tokens: TokenCounts;
  /** Why rows have no answer so far, the most frequent first. */
  failures: readonly Reason[];
  /** Why parts wait, each reason once. */
  waits: readonly (Waiting & { partIds: readonly string[] })[];
  answers: readonly ShownAnswer[];
  notices: readonly string[];
}

/** What is shown of a run. */
export function watchViewOf(seen: SeenRun): WatchView {
  const { runId, atMs, target, condition, worker, snapshot, summary, samples, answers, notices } = seen;
  const { plan } = snapshot;
  const totals = totalsOf(snapshot);
  const parts = partsOf(snapshot, { atMs, samples });
  const records = recordsOf(snapshot);
  const hasEnded = summary !== undefined;
  return {
    runId,
    at: new Date(atMs).toISOString(),
    target,
    condition,
    hasEnded,
    worker,
    modelId: plan === null ? null : modelsOf(plan),
    isSimulated:
      summary?.simulated ?? (target === 'local' && plan !== null && plan.model_server === undefined),
    phases: phasesOf(seen, { rows: totals.rows, records }),
    parts,
    unnamedParts: unnamedPartsOf(snapshot),
    rows: summary === undefined ? totals.rows : endedRows(summary.rows, totals.rows),
    records,
    recordsPerMinute: hasEnded ? null : recordsPerMinute(samples),
    left: leftOf(seen, { parts, owed: totals.rows.owed }),
    slots:
      plan === null || seen.heldByOthers === null || hasEnded
        ? null
        : { atOnce: plan.max_concurrent_jobs, heldByOthers: seen.heldByOthers },
    dollars: dollarsOf(seen),
    tokens: summary?.tokens ?? totals.tokens,
    failures: summary?.reasons ?? totals.reasons,
    waits: hasEnded ? [] : waitsOf(parts),
    answers,
    notices,
  };
}

/** A summary knows what merging has changed: rows that were answered elsewhere. */
function endedRows(
  { total, succeeded, failed, not_sent, reused }: RowCounts,
  rows: RunTotals['rows'],
): RunTotals['rows'] {
  return { ...rows, total, succeeded, unanswered: failed + not_sent, owed: 0, reused };
}

function unnamedPartsOf({ plan, prepared, parts }: RunSnapshot): number {
  if (plan === null) return 0;
  const named = new Set([
    ...Object.keys(prepared),
    ...Object.values(parts).flatMap(({ part }) => (part.sources.length === 0 ? part.part_id : [])),
  ]);
  return Math.max(0, plan.parts - named.size);
}

function dollarsOf({ target, snapshot, summary }: SeenRun): WatchDollars {
  const { billed, so_far, expected, most, cap } = runDollars(snapshot, summary?.billed ?? target !== 'local');
  const soFar = so_far === null ? null : (summary?.cost_usd ?? so_far);
  return { isPaid: billed, soFar, expected: summary === undefined ? expected : soFar, most, cap };
}

/** Milliseconds of an hour. */
const HOUR_MS = 3_600_000;

function leftOf(
  { snapshot, summary, worker }: SeenRun,
  { parts, owed }: { parts: readonly PartView[]; owed: number },
): TimeLeft | null {
  const { plan } = snapshot;
  if (plan === null || summary !== undefined || worker === null) return null;
  const open = parts.filter(({ wave, rows }) => wave !== null && rows === null);
  const later = parts.filter(({ wave, mode }) => wave === null && mode !== 'none');
  return timeLeft({
    finishedPaces: finishedPacesOf(snapshot),
    runningPaces: open.flatMap(({ job }) => (job?.perMinute ? job.perMinute * 60 : [])),
    open: open.map(({ records, done }) => Math.max(0, records - done)),
    later: [...later.map(({ records }) => records), ...unnamedRecords(plan, snapshot, parts)],
    owed: Math.max(0, owed - owedIn(open)),
    jobsInFlight: plan.max_concurrent_jobs,
  });
  function owedIn(under: readonly PartView[]): number {
    return under.reduce((sum, { isRepair, records }) => sum + (isRepair ? records : 0), 0);
  }
}

/** Records of parts that are not prepared yet: by the rows that are left for them. */
function unnamedRecords(plan: RunPlan, snapshot: RunSnapshot, parts: readonly PartView[]): number[] {
  const unnamed = unnamedPartsOf(snapshot);
  if (unnamed === 0) return [];
  const known = parts.reduce((sum, { isRepair, records }) => sum + (isRepair ? 0 : records), 0);
  const records = Math.max(0, plannedRecords(plan) * plan.variants.length - known);
  return new Array<number>(unnamed).fill(records / unnamed);
}

/** Records an hour of the jobs that have ended, from when Bedrock took them. */
function finishedPacesOf({ parts }: RunSnapshot): number[] {
  return Object.values(parts).flatMap(({ part, result }) => {
    const spanMs = Date.parse(result?.jobEndedAt ?? '') - Date.parse(result?.jobSubmittedAt ?? '');
    return spanMs > 0 && part.records > 0 && result?.jobStatus === 'Completed'
      ? [part.records / (spanMs / HOUR_MS)]
      : [];
  });
}

/** One wait for each reason, the one of the most parts first; since the first of them. */
function waitsOf(parts: readonly PartView[]): WatchView['waits'] {
  const waiting = parts.flatMap(({ partId, waiting: wait }) => (wait === null ? [] : [{ partId, wait }]));
  return [...Map.groupBy(waiting, ({ wait }) => wait.error).values()]
    .flatMap((group) => {
      const [first] = group.toSorted((a, b) => (a.wait.since < b.wait.since ? -1 : 1));
      return first === undefined ? [] : [{ ...first.wait, partIds: group.map(({ partId }) => partId) }];
    })
    .sort((a, b) => b.partIds.length - a.partIds.length);
}
