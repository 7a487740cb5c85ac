import { TERMINAL_STATUSES } from '../../core/jobs/job.ts';
import type { CostEstimate } from '../../core/plan/run-plan.ts';
import type { OnDemandProgress, RunEvent } from '../../core/run/run-event.ts';
import type { Waiting } from '../../core/run/waiting.ts';
import { count, duration, usd } from './format.ts';

/** Where a run stands, as far as its progress has told. */
export interface RunView {
  startedAtMs: number;
  phase: 'plan' | 'prepare' | 'run' | 'summarize';
  /** By file of a Hugging Face dataset: bytes that are here, and all. */
  downloads: Map<string, { doneBytes: number; totalBytes: number }>;
  /** By file of a local dataset: bytes that are in S3, and all. */
  uploads: Map<string, { doneBytes: number; totalBytes: number }>;
  /** What the run is estimated to cost, in words; empty where nothing is paid. */
  price: string;
  selectedRows: number | undefined;
  runId: string | undefined;
  /** What the plan has a user know. */
  notes: readonly string[];
  parts: number;
  preparedRows: number;
  preparedParts: number;
  wave: number;
  waveParts: number;
  waveRecords: number;
  collectedParts: number;
  collectedRows: number;
  /** By part: why it has to wait, and since when. */
  waits: Map<string, string>;
  /** What the place where the run runs had to say the last time; empty where nothing. */
  notice: string;
  /** By job: its status and how many of its records are done. */
  jobs: Map<string, { status: string; records: number }>;
  /** By part that is run on demand. */
  onDemand: Map<string, OnDemandProgress>;
}

/** The view before anything has happened. */
export function emptyView(startedAtMs: number): RunView {
  return {
    startedAtMs,
    phase: 'plan',
    downloads: new Map(),
    uploads: new Map(),
    price: '',
    selectedRows: undefined,
    runId: undefined,
    notes: [],
    parts: 0,
    preparedRows: 0,
    preparedParts: 0,
    wave: 0,
    waveParts: 0,
    waveRecords: 0,
    collectedParts: 0,
    collectedRows: 0,
    waits: new Map(),
    notice: '',
    jobs: new Map(),
    onDemand: new Map(),
  };
}

/** Takes one piece of progress into the view. */
export function advanceView(view: RunView, progress: RunEvent): void {
  switch (progress.kind) {
    case 'state_entered':
      if (progress.state === 'Prepare') view.phase = 'prepare';
      if (progress.state === 'Run jobs') view.phase = 'run';
      if (progress.state === 'Summarize') view.phase = 'summarize';
      return;
    case 'downloaded':
      view.downloads.set(progress.path, progress);
      return;
    case 'uploaded':
      view.uploads.set(progress.path, progress);
      return;
    case 'planned':
      view.price = progress.isPaid ? priceText(progress.plan.estimate) : '';
      view.runId = progress.plan.run_id;
      view.notes = progress.plan.notes;
      view.selectedRows = progress.plan.selected_rows;
      view.parts = progress.plan.parts;
      return;
    case 'prepared':
      view.preparedParts += 1;
      view.preparedRows += progress.rows;
      return;
    case 'dispatched':
      view.wave = progress.wave;
      view.waveParts = progress.parts.length;
      view.waveRecords = progress.parts.reduce((sum, { records }) => sum + records, 0);
      view.collectedParts = 0;
      view.collectedRows = 0;
      view.waits.clear();
      view.jobs.clear();
      view.onDemand.clear();
      return;
    case 'waiting':
      view.waits.set(progress.partId, waitingText(progress));
      return;
    case 'notice':
      view.notice = progress.message;
      return;
    case 'on_demand':
      view.onDemand.set(progress.partId, progress);
      return;
    case 'job':
      view.waits.delete(progress.partId);
      view.jobs.set(progress.jobArn, { status: progress.status, records: progress.processedRecords ?? 0 });
      return;
    case 'collected':
      view.waits.delete(progress.partId);
      view.collectedParts += 1;
      view.collectedRows += progress.rows.total;
      return;
  }
}

/** The view in lines: one for each phase that has begun. */
export function viewLines(view: RunView, nowMs: number): string[] {
  const rows = view.selectedRows;
  const lines = [
    rows === undefined
      ? `Plan        ${transferText(view) ?? 'reading the dataset'}`
      : `Plan        run ${view.runId}: ${count(rows, 'row')} in ${count(view.parts, 'part')}${view.price}`,
    ...view.notes.map((note) => `Note        ${note}`),
  ];
  if (view.phase === 'plan') return withElapsed(lines, view, nowMs);
  lines.push(
    view.preparedParts === 0 && view.phase !== 'prepare'
      ? 'Prepare     already done'
      : `Prepare     ${count(view.preparedRows, 'row')} of ${rows === undefined ? '?' : rows.toLocaleString('en-US')}, ${count(view.preparedParts, 'part')}`,
  );
  if (view.wave > 0) {
    const byStatus = Map.groupBy(view.jobs.values(), ({ status }) => status);
    const jobs = [...byStatus].map(([status, group]) => `${group.length} ${status}`).join(', ');
    const done = [...view.jobs.values()].reduce((sum, { records }) => sum + records, 0);
    lines.push(
      `Run jobs    wave ${view.wave}: ${jobs || 'none yet'}; ${count(done, 'record')} of ${view.waveRecords.toLocaleString('en-US')} done`,
      ...[...view.onDemand.values()].map((part) => `On demand   ${onDemandText(part)}`),
      `Collect     ${view.collectedParts} of ${count(view.waveParts, 'part')}, ${count(view.collectedRows, 'row')}`,
    );
  }
  if (view.waits.size > 0) lines.push(waitsLine(view.waits));
  if (view.notice !== '') lines.push(`Notice      ${view.notice}`);
  if (view.phase === 'summarize') lines.push('Summarize   counting the output');
  return withElapsed(lines, view, nowMs);
}

/** `12 of 50 records answered, 3 failed, 1.2 a second`. */
function onDemandText({ records, answered, failed, perSecond }: OnDemandProgress): string {
  const rate = perSecond === 0 ? '' : `, ${perSecond.toFixed(1)} a second`;
  return `${answered.toLocaleString('en-US')} of ${count(records, 'record')} answered, ${failed.toLocaleString('en-US')} failed${rate}`;
}

/** `downloading: 12.3 MB of 45.6 MB`; undefined where all is where it belongs. */
function transferText({ downloads, uploads }: RunView): string | undefined {
  const textOf = (doing: string, files: RunView['uploads']) => {
    const all = [...files.values()];
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

/** `Waiting     2 parts, p00001: Rate exceeded. (since …)`. */
function waitsLine(waits: RunView['waits']): string {
  const [[partId = '', text = ''] = []] = [...waits];
  return `Waiting     ${count(waits.size, 'part')}, ${partId}: ${text}`;
}

/** `Rate exceeded. (since 2026-01-01T12:00:00.000Z)`: why something waits, and since when. */
export function waitingText({ message, since }: Waiting): string {
  return `${message} (since ${since})`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function withElapsed(lines: string[], view: RunView, nowMs: number): string[] {
  return [...lines, `Elapsed     ${duration(nowMs - view.startedAtMs)}`];
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
        `Plan: run ${progress.plan.run_id}, ${count(progress.plan.selected_rows, 'row')} in ${count(progress.plan.parts, 'part')}${view.price}`,
        ...view.notes.map((note) => `Note: ${note}`),
      ].join('\n');
    case 'prepared':
      return `Prepared ${progress.partId}: ${count(progress.rows, 'row')}, ${count(progress.records, 'record')}`;
    case 'dispatched':
      return `Wave ${progress.wave}: ${count(view.waveParts, 'part')}, ${count(view.waveRecords, 'record')}`;
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
      return `Collected ${progress.partId}: ${count(progress.rows.succeeded, 'row')} answered, ${progress.rows.failed} failed, ${progress.rows.not_sent} not sent`;
  }
}
