import { TERMINAL_STATUSES } from '../../core/jobs/job.ts';
import type { CostEstimate } from '../../core/plan/run-plan.ts';
import type { OnDemandProgress, RunEvent } from '../../core/run/run-event.ts';
import type { Waiting } from '../../core/run/waiting.ts';
import {
  EMPTY_SNAPSHOT,
  type PartSnapshot,
  type RunSnapshot,
  reduceRun,
  runDollars,
  waitOf,
} from '../../index.ts';
import { count, duration, usd } from './format.ts';

/** A run as it is shown: what its events have told, and what is said of it beside them. */
export interface RunView {
  startedAtMs: number;
  run: RunSnapshot;
  /** What the run is estimated to cost, in words; empty where nothing is paid. */
  price: string;
  /** False where nobody pays, and until it is planned. */
  isPaid: boolean;
  /** What the place where the run runs had to say the last time; empty where nothing. */
  notice: string;
}

/** The view before anything has happened. */
export function emptyView(startedAtMs: number): RunView {
  return { startedAtMs, run: EMPTY_SNAPSHOT, price: '', isPaid: false, notice: '' };
}

/** The view after an event. */
export function advanceView(view: RunView, event: RunEvent): RunView {
  return {
    ...view,
    run: reduceRun(view.run, event),
    ...(event.kind === 'notice' ? { notice: event.message } : {}),
    ...(event.kind === 'planned'
      ? { isPaid: event.isPaid, price: event.isPaid ? priceText(event.plan.estimate) : '' }
      : {}),
  };
}

/** The view in lines: one for each phase that has begun. */
export function viewLines(view: RunView, nowMs: number): string[] {
  const { phase, plan } = view.run;
  return [
    ...planLinesOf(view),
    ...(phase === 'plan' ? [] : [prepareLine(view.run), ...waveLines(view.run, nowMs)]),
    ...dollarsLine(view),
    ...(view.notice === '' ? [] : [`Notice      ${view.notice}`]),
    ...(phase === 'merge' ? ['Merge       rows that were sent again'] : []),
    ...(phase === 'summarize' && plan !== null ? ['Summarize   counting the output'] : []),
    `Elapsed     ${duration(nowMs - view.startedAtMs)}`,
  ];
}

/** What the run has taken so far, where somebody pays, beside what the whole is expected to and its limit. */
function dollarsLine({ run, isPaid }: RunView): string[] {
  if (!isPaid || run.waves === 0) return [];
  const { so_far, expected, cap } = runDollars(run, isPaid);
  if (so_far === null) return [];
  const whole = expected === null ? '' : `, about ${usd(expected)} expected in all`;
  return [`Dollars     ${usd(so_far)} so far${whole}${cap === null ? '' : `, ${usd(cap)} is the cap`}`];
}

function planLinesOf({ run, price }: RunView): string[] {
  const { plan } = run;
  return plan === null
    ? [`Plan        ${transferText(run) ?? 'reading the dataset'}`]
    : [
        `Plan        run ${plan.run_id}: ${rowsText(plan)} in ${count(plan.parts, 'part')}${price}`,
        ...plan.notes.map((note) => `Note        ${note}`),
      ];
}

/** How many rows, and in how many variants each. */
function rowsText({ selected_rows: rows, variants }: NonNullable<RunSnapshot['plan']>): string {
  return `${count(rows, 'row')}${variants.length > 1 ? `, each in ${variants.length} variants,` : ''}`;
}

function prepareLine({ phase, plan, prepared }: RunSnapshot): string {
  const parts = Object.values(prepared);
  if (parts.length === 0 && phase !== 'prepare') return 'Prepare     already done';
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  return `Prepare     ${count(rows, 'row')} of ${plan === null ? '?' : n(plan.selected_rows * plan.variants.length)}, ${count(parts.length, 'part')}`;
}

function waveLines(run: RunSnapshot, nowMs: number): string[] {
  if (run.waves === 0) return [];
  const parts = partsOfWave(run);
  const collected = parts.flatMap(({ result }) => result ?? []);
  const rows = collected.reduce((sum, result) => sum + result.rows.total, 0);
  return [
    `Run jobs    ${waveText(run)}`,
    ...parts.flatMap(({ onDemand }) => (onDemand === null ? [] : [`On demand   ${onDemandText(onDemand)}`])),
    `Collect     ${n(collected.length)} of ${count(parts.length, 'part')}, ${count(rows, 'row')}`,
    ...waitsLine(parts, nowMs),
  ];
}

/** `wave 1: 2 InProgress, 1 Completed; 620 records of 1,000 done`. */
function waveText(run: RunSnapshot): string {
  const parts = partsOfWave(run);
  const jobs = parts.flatMap(({ job }) => job ?? []);
  const byStatus = [...Map.groupBy(jobs, ({ status }) => status)];
  const states = byStatus.map(([status, group]) => `${n(group.length)} ${status}`).join(', ');
  const done = jobs.reduce((sum, { processedRecords }) => sum + (processedRecords ?? 0), 0);
  const records = parts.reduce((sum, { part }) => sum + part.records, 0);
  return `wave ${run.waves}: ${states || 'none yet'}; ${count(done, 'record')} of ${n(records)} done`;
}

/** The parts whose turn is in the newest wave. */
function partsOfWave({ parts, waves }: RunSnapshot): PartSnapshot[] {
  return Object.values(parts).filter(({ part }) => part.wave === waves);
}

function n(value: number): string {
  return value.toLocaleString('en-US');
}

/** `12 of 50 records answered, 3 failed, 1.2 a second`. */
function onDemandText({ records, answered, failed, perSecond }: OnDemandProgress): string {
  const rate = perSecond === 0 ? '' : `, ${perSecond.toFixed(1)} a second`;
  return `${n(answered)} of ${count(records, 'record')} answered, ${n(failed)} failed${rate}`;
}

/** `downloading: 12.3 MB of 45.6 MB`; undefined where all is where it belongs. */
function transferText({ downloads, uploads }: RunSnapshot): string | undefined {
  const textOf = (doing: string, files: RunSnapshot['uploads']) => {
    const all = Object.values(files);
    const done = all.reduce((sum, { doneBytes }) => sum + doneBytes, 0);
    const total = all.reduce((sum, { totalBytes }) => sum + totalBytes, 0);
    return done === total ? undefined : `${doing}: ${megabytes(done)} of ${megabytes(total)}`;
  };
  return textOf('uploading', uploads) ?? textOf('downloading', downloads);
}

/** `, about $1.23 with the longest answers`, to be put behind what it is the price of. */
function priceText({ max_usd }: CostEstimate): string {
  return max_usd === null
    ? ', at a price that is not known'
    : `, about ${usd(max_usd)} with the longest answers`;
}

/** `Waiting     2 parts, p00001: Rate exceeded. (since …)`; nothing where none has to wait. */
function waitsLine(parts: readonly PartSnapshot[], nowMs: number): string[] {
  const text = waitsText(parts, nowMs);
  return text === undefined ? [] : [`Waiting     ${text}`];
}

/** Milliseconds after which a job that has not begun is worth a word: every job waits a little. */
const LONG_WAIT_MS = 60_000;

function waitsText(parts: readonly PartSnapshot[], nowMs: number): string | undefined {
  const waiting = parts.flatMap((part) => {
    const wait = waitOf(part);
    if (wait === null) return [];
    const isUsual = part.waitsFor === null && nowMs - Date.parse(wait.since) < LONG_WAIT_MS;
    return isUsual ? [] : [{ partId: part.part.part_id, wait }];
  });
  const [first] = waiting.toSorted((a, b) => (a.wait.since < b.wait.since ? -1 : 1));
  return first && `${count(waiting.length, 'part')}, ${first.partId}: ${waitingText(first.wait)}`;
}

/** `Rate exceeded. (since 2026-01-01T12:00:00.000Z)`: why something waits, and since when. */
export function waitingText({ message, since }: Waiting): string {
  return `${message} (since ${since})`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** What is under way, for a log that has said nothing for a while; undefined where there is nothing to tell. */
export function standingLine({ run }: RunView, nowMs: number): string | undefined {
  const { phase, plan } = run;
  if (phase === 'prepare') return prepareLine(run).replace(/^Prepare +/, 'Preparing: ');
  if (phase === 'run' && run.waves > 0) {
    const waits = waitsText(partsOfWave(run), nowMs);
    return `Running ${waveText(run)}${waits === undefined ? '' : `; waiting: ${waits}`}`;
  }
  if (phase === 'plan' && plan === null) return `Planning: ${transferText(run) ?? 'reading the dataset'}`;
  return undefined;
}

/** One line for people who read a log: only for what is worth one, or nothing. */
export function logLine(view: RunView, progress: RunEvent): string | undefined {
  switch (progress.kind) {
    case 'state_entered':
      return progress.state === 'Prepare' || progress.state === 'Summarize' ? `${progress.state}` : undefined;
    case 'downloaded':
      return progress.doneBytes === progress.totalBytes
        ? `Downloaded ${progress.path}: ${megabytes(progress.totalBytes)}`
        : undefined;
    case 'uploaded':
      return progress.doneBytes === progress.totalBytes
        ? `Uploaded ${progress.path}: ${megabytes(progress.totalBytes)}`
        : undefined;
    case 'planned':
      return [
        `Plan: run ${progress.plan.run_id}, ${rowsText(progress.plan)} in ${count(progress.plan.parts, 'part')}${view.price}`,
        ...progress.plan.notes.map((note) => `Note: ${note}`),
      ].join('\n');
    case 'prepared':
      return `Prepared ${progress.partId}: ${count(progress.rows, 'row')}, ${count(progress.records, 'record')}`;
    case 'dispatched':
      return `Wave ${progress.wave}: ${count(progress.parts.length, 'part')}, ${count(
        progress.parts.reduce((sum, { records }) => sum + records, 0),
        'record',
      )}`;
    case 'waiting':
      return `Waiting ${progress.partId}: ${waitingText(progress)}`;
    case 'notice':
      return progress.message;
    case 'on_demand':
      return `On demand ${progress.partId}: ${onDemandText(progress)}`;
    case 'job':
      return (TERMINAL_STATUSES as readonly string[]).includes(progress.status)
        ? `Job ${progress.jobArn.split('/').at(-1)}: ${progress.status}`
        : undefined;
    case 'collected':
      return `Collected ${progress.partId}: ${count(progress.rows.succeeded, 'row')} answered, ${n(progress.rows.failed)} failed, ${n(progress.rows.not_sent)} not sent`;
  }
}
