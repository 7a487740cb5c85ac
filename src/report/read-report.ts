import pLimit from 'p-limit';
import { jobsAtOnce } from '../core/jobs/quotas.ts';
import { WaveParts } from '../core/plan/part.ts';
import type { RunPlan } from '../core/plan/run-plan.ts';
import { PartLedger } from '../core/run/ledger.ts';
import type { ColumnSummary, RunSummary } from '../core/run/summary.ts';
import { variantViews } from '../core/run/variant-view.ts';
import { parseRunInput } from '../core/run-input/run-input.ts';
import type { S3Uri } from '../core/s3-uri.ts';
import { summarizeColumns } from '../rows/results/column-summaries.ts';
import { readPlaces, type ShownRow } from '../rows/results/read-places.ts';
import { resultObjects } from '../rows/results/result-objects.ts';
import {
  type ResultScan,
  type RowPlace,
  type SizeCounts,
  scanResults,
} from '../rows/results/scan-results.ts';
import type { RunLayout } from '../runs/run-layout.ts';
import { readJsonIfPresent } from '../store/json-object.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { joinReports } from './join-reports.ts';
import { piecesOf, typedColumnsOf } from './prompt-pieces.ts';
import type { ColumnReport, ReportRow, RunReport, Sizes } from './run-report.ts';
import { shorten } from './shorten.ts';
import { progressOf, type ReportTurn, timelineOf } from './timeline.ts';

/** A run that has ended, and where its files are. */
export interface ReportSource {
  layout: RunLayout;
  plan: RunPlan;
  summary: RunSummary;
  store: ObjectStore;
  /** Directory for what is fetched of files that are not on this machine. */
  scratchDirectory: string;
}

/** Small objects read at once. */
const CONCURRENT_READS = 16;
/** Rows shown: the first ones, and of each other kind and each error. */
const FIRST_ROWS = 100;
const ROWS_OF_KIND = 60;
const MAX_ROWS = 400;
/** Bounds of what a report reads, whatever the run's size: so that it fits a Lambda function's time. */
const MAX_SCANNED_ROWS = 5_000_000;
const MAX_UNPACKED_BYTES = 512_000_000;
/** Characters of a prompt or an answer. */
const MAX_CHARACTERS = 4_000;
/** Reads what the report of a run shows from the run's files. The same files give the same report. */
export async function readReport(source: ReportSource): Promise<RunReport> {
  const { plan, summary } = source;
  const views = variantViews(plan, summary);
  if (views.length === 0) return shorten(await readOne(source, 1));
  const reports: RunReport[] = [];
  for (const view of views) reports.push(await readOne({ ...source, ...view }, views.length));
  return shorten(joinReports(reports, { plan, summary }));
}

/** The report of a run, or of one of so many variants, which share the page's rows. */
async function readOne(
  { layout, plan, summary, store, scratchDirectory }: ReportSource,
  variants: number,
): Promise<RunReport> {
  const turns = await readTurns(summary.waves, layout, store);
  const files = resultObjects(summary.output_uris as S3Uri[], { store, scratchDirectory });
  const [variant] = plan.variants;
  const scan = await scanResults(files, {
    firstRows: Math.ceil(FIRST_ROWS / variants),
    longestRows: Math.ceil(ROWS_OF_KIND / variants),
    maxRows: Math.ceil(MAX_SCANNED_ROWS / variants),
  });
  // Summaries of earlier versions do not tell.
  const columns =
    summary.columns ??
    (await summarizeColumns(files, { names: typedColumnsOf(plan), maxRows: MAX_SCANNED_ROWS }));
  const shown = await readPlaces(files, {
    places: placesOf(scan, Math.ceil(MAX_ROWS / variants)),
    pieces: piecesOf(plan),
    outputColumn: variant.output_column,
    maxCharacters: MAX_CHARACTERS,
    maxBytes: Math.ceil(MAX_UNPACKED_BYTES / variants),
  });
  return {
    format_version: 1,
    summary,
    output_files: summary.output_uris.length,
    estimate: plan.estimate,
    timeline: timelineOf(turns, slotsOf(plan)),
    progress: progressOf(turns, summary.rows.succeeded),
    scanned_rows: scan.rows,
    input_tokens: sizesOf(scan.inputTokens),
    output_tokens: sizesOf(scan.outputTokens),
    columns: columns.filter(({ type }) => !type.endsWith('[]')).map(columnReport),
    rows: shown.map((row) => reportRow(row, scan)),
  };
}

function slotsOf({ max_concurrent_jobs, input }: RunPlan): number {
  return jobsAtOnce(max_concurrent_jobs, parseRunInput(input).max_concurrent_jobs);
}

async function readTurns(waves: number, layout: RunLayout, store: ObjectStore): Promise<ReportTurn[]> {
  const turns: ReportTurn[] = [];
  for (let wave = 1; wave <= waves; wave += 1) {
    const parts = (await readJsonIfPresent(store, layout.waveParts(wave), WaveParts)) ?? [];
    const ledgers = await pLimit(CONCURRENT_READS).map(parts, ({ part_id }) =>
      readJsonIfPresent(store, layout.ledger(part_id), PartLedger),
    );
    for (const [index, part] of parts.entries()) {
      const ledger = ledgers[index];
      if (ledger !== undefined) turns.push({ part, ledger });
    }
  }
  return turns;
}

/** The rows to show, those that matter most first; some of every kind and of every error. */
function placesOf({ firsts, longest }: ResultScan, mostRows: number): RowPlace[] {
  const chosen = new Map<string, RowPlace>();
  const take = (places: readonly RowPlace[], most: number) => {
    let left = most;
    for (const place of places) {
      if (left <= 0 || chosen.size >= mostRows) return;
      left -= 1;
      chosen.set(keyOf(place), place);
    }
  };
  const ofKind = (kind: RowPlace['kind']) => firsts.filter((place) => place.kind === kind);
  const byError = Map.groupBy(ofKind('failed'), ({ errorCode }) => errorCode);
  for (const places of byError.values()) take(places, Math.ceil(ROWS_OF_KIND / byError.size));
  take(ofKind('truncated'), ROWS_OF_KIND);
  take(ofKind('refused'), ROWS_OF_KIND);
  take(longest, ROWS_OF_KIND);
  take(
    [...firsts].sort((a, b) => a.file - b.file || a.row - b.row),
    FIRST_ROWS,
  );
  return [...chosen.values()];
}

function keyOf({ file, row }: { file: number; row: number }): string {
  return `${file}/${row}`;
}

function reportRow({ file, row, ...shown }: ShownRow, { firsts, longest }: ResultScan): ReportRow {
  const key = keyOf({ file, row });
  const place = [...firsts, ...longest].find((known) => keyOf(known) === key);
  const kind = place?.kind ?? 'answered';
  return {
    ...shown,
    // Of an answer that was not of the schema, its error tells what was wrong and how it begins.
    answer: kind === 'failed' ? null : shown.answer,
    kind,
    is_longest: longest.some((known) => keyOf(known) === key),
  };
}

function sizesOf({ rows, sum, min, max, zeros, buckets }: SizeCounts): Sizes {
  const counted = [...buckets].sort(([a], [b]) => a - b);
  return {
    rows,
    mean: rows === 0 ? 0 : sum / rows,
    min: rows === 0 ? 0 : min,
    max,
    buckets: [
      ...(zeros > 0 ? [{ from: 0, to: 1, rows: zeros }] : []),
      ...counted.map(([bucket, count]) => ({
        from: 2 ** (bucket / 4),
        to: 2 ** ((bucket + 1) / 4),
        rows: count,
      })),
    ],
  };
}

function columnReport({ name, type, rows, nulls, values }: ColumnSummary): ColumnReport {
  const told = values.reduce((sum, value) => sum + value.rows, 0);
  return { name, type, nulls, values, others: rows - nulls - told };
}
