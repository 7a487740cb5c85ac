import { join } from 'node:path';
import pLimit from 'p-limit';
import { LedgerMismatchError, ServiceUnavailableError, SystematicFaultError } from '../../core/errors.ts';
import { addStopReasons, countFlaws } from '../../core/jobs/answer-flaws.ts';
import { WaveParts } from '../../core/plan/part.ts';
import { isSideBySide, ledgerRowsOf, modelsOf } from '../../core/plan/run-plan.ts';
import {
  type AttemptCounts,
  addAttempts,
  addReasons,
  addRowCounts,
  addTokenCounts,
  addViolations,
  isBalanced,
  MergedLedger,
  PartLedger,
} from '../../core/run/ledger.ts';
import type { RunStop } from '../../core/run/run-stop.ts';
import { RunSummary, type VariantAgreement } from '../../core/run/summary.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { priceOfRun, pricesOfRun } from '../../models/catalog/prices.ts';
import { summarizeColumns } from '../../rows/results/column-summaries.ts';
import { recountResults } from '../../rows/results/recount-results.ts';
import { resultObjects } from '../../rows/results/result-objects.ts';
import { compareVariants } from '../../rows/results/variant-agreement.ts';
import { skippedRecordsOf } from '../../rows/sources/dataset-notes.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { readJson, readJsonIfPresent, writeJson } from '../../store/json-object.ts';
import type { StepDeps } from '../deps.ts';
import { resultColumnsOfRun } from '../plan/result-columns-of-run.ts';
import { accountOf, spentUsd } from '../waves/run-cost.ts';
import { needsMerge, readWave, repackedParts, type Turn } from '../waves/turns.ts';
import { requireResults } from './mend-results.ts';
import { type PlannedRun, type PlannedVariant, readPlan } from './read-plan.ts';
import { readStop } from './read-stop.ts';
import { reportRun } from './report-run.ts';
import type { RunState } from './run-state.ts';
import {
  countJobs,
  countOnDemand,
  type EndedVariant,
  endedVariants,
  schemaFormOf,
  summarizeVariants,
} from './summarize-variants.ts';

/** The execution's output: where everything is, and the ledger. */
export interface SummarizeResult {
  run_id: string;
  status: RunSummary['status'];
  /** Name and message of the error that the execution ends with; null where it ends well. */
  error: string | null;
  message: string | null;
  rows: RunSummary['rows'];
  summary_uri: string;
  /** The page that shows it all to people; null where it could not be written. */
  report_uri: string | null;
  /** Folder of the output files. */
  output_uri: string;
  /** The output files, as far as they fit into the state payload; the summary has them all. */
  output_paths: string[];
}

/** Small objects read at once. */
const CONCURRENT_READS = 16;

/** Output files that the execution's output names; more would endanger its 256 KiB. */
const MAX_OUTPUT_PATHS = 500;

/** Adds up the ledger, proves from the output files themselves that rows out are rows in, writes the summary and the report. */
export async function summarize(state: RunState, deps: StepDeps): Promise<SummarizeResult> {
  const run = await readPlan(state.run_uri, deps);
  const { layout, plan } = run;
  const known = await readJsonIfPresent(deps.store, layout.summary, RunSummary);
  const summary = known ?? (await writeSummary(state, run, deps));
  const isReported = await reportRun({ layout, plan, summary }, deps);
  return { ...toResult(summary, layout), report_uri: isReported ? layout.report : null };
}

async function writeSummary(state: RunState, run: PlannedRun, deps: StepDeps): Promise<RunSummary> {
  const { layout, plan } = run;
  const { store, clock, settings } = deps;
  const turns = await readTurns(state.wave, layout, deps);
  const finals = await readFinals(turns, layout, deps);
  const rows = addRowCounts(finals.map((final) => final.rows));
  const variants = endedVariants(run, { turns, finals });
  const outputUris = (variants[0]?.finals ?? []).map(({ part_id }) => layout.output(part_id));
  await requireResults(run, store);
  const attempts = await proveRows(run, { rows, variants, outputUris }, deps);
  const stop = (await readStop(layout, store)) ?? null;
  if (stop === null) refuseUnfinished(turns);
  const skippedRecords = skippedRecordsOf(plan.dataset);
  const summary: RunSummary = {
    format_version: 1,
    quarry_version: settings.version,
    run_id: plan.run_id,
    status: statusOf(rows, stop),
    stop,
    rows,
    attempts,
    waves: state.wave,
    reasons: addReasons(finals.flatMap(({ reasons }) => reasons)),
    ...howAnswersEnded(finals),
    ...countTyped(turns),
    ...(await columnsOf({ run, outputUris }, deps)),
    ...(isSideBySide(plan)
      ? {
          variants: await summarizeVariants(run, variants, deps),
          agreement: await agreementOf(run, outputUris, deps),
        }
      : schemaFormOf(plan.variants[0], turns)),
    // Of every attempt: all of them were paid for.
    tokens: addTokenCounts(turns.map(({ ledger }) => ledger.tokens)),
    cost_usd: spentUsd(turns, pricesOfRun(plan)),
    account: accountOf(
      turns,
      plan.variants.map((variant) => ({
        modelId: variant.model.model_id,
        price: priceOfRun({ ...plan, variants: [variant] }),
      })),
    ),
    estimate: plan.estimate,
    duplicates: plan.duplicates,
    jobs: await countJobs(turns, layout, deps),
    on_demand_records: countOnDemand(turns),
    simulated: settings.simulated,
    billed: settings.billed,
    output_uris: outputUris,
    started_at: plan.created_at,
    ended_at: new Date(clock.now()).toISOString(),
    input: plan.input,
    input_hash: plan.input_hash,
    prompt_hash: plan.variants.map(({ prompt_hash }) => prompt_hash).join(','),
    model_id: modelsOf(plan),
    notes: plan.notes,
    dataset_files: plan.dataset.files,
    dataset_rows: plan.dataset.rows,
    ...(skippedRecords === 0 ? {} : { skipped: { records: skippedRecords, uri: layout.skipped } }),
    hub: plan.hub,
  };
  await writeJson(store, layout.summary, summary);
  return summary;
}

function statusOf(rows: RunSummary['rows'], stop: RunStop | null): RunSummary['status'] {
  if (rows.succeeded === rows.total) return 'succeeded';
  if (stop === null) return 'partly_succeeded';
  return stop.reason === 'cancelled' ? 'cancelled' : 'stopped';
}

/** How the answers ended; nothing where a part's ledger is of a version that did not count. */
function howAnswersEnded(finals: readonly MergedLedger[]): Pick<RunSummary, 'stop_reasons' | 'flawed'> {
  if (finals.some((final) => final.stop_reasons === undefined)) return {};
  const stop_reasons = addStopReasons(finals.flatMap((final) => final.stop_reasons ?? []));
  return { stop_reasons, flawed: countFlaws(stop_reasons) };
}

/** How answers fared against their schema; nothing where there is none. */
function countTyped(turns: readonly Turn[]): Pick<RunSummary, 'mended' | 'checked' | 'violations'> {
  const ledgers = turns.map(({ ledger }) => ledger).filter(({ mended }) => mended !== undefined);
  if (ledgers.length === 0) return {};
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const mended = sum(ledgers.map((ledger) => ledger.mended ?? 0));
  if (ledgers.some(({ checked }) => checked === undefined)) return { mended };
  return {
    mended,
    checked: sum(ledgers.map(({ checked = 0 }) => checked)),
    violations: addViolations(ledgers.flatMap(({ violations = [] }) => violations)),
  };
}

/** Rows of several variants that are compared; `quarry diff` compares all. */
const MAX_COMPARED_ROWS = 1_000_000;
/** Rows of the output whose typed columns are counted. */
const MAX_COUNTED_ROWS = 5_000_000;

/** What is in the typed columns of the output; nothing where there are none. */
async function columnsOf(
  { run: { plan, variants }, outputUris }: { run: PlannedRun; outputUris: RunSummary['output_uris'] },
  { store, scratchDirectory }: StepDeps,
): Promise<Pick<RunSummary, 'columns'>> {
  // Of several variants, what each made of the rows says its diff.
  const [{ call, input }] = variants as [PlannedVariant, ...PlannedVariant[]];
  if (isSideBySide(plan) || call.schema === undefined) return {};
  const names = resultColumnsOfRun(input, call).properties.map(({ name }) => name);
  const files = resultObjects(outputUris as S3Uri[], {
    store,
    scratchDirectory: join(scratchDirectory, plan.run_id, 'columns'),
  });
  return { columns: await summarizeColumns(files, { names, maxRows: MAX_COUNTED_ROWS }) };
}

/** How far each two of several variants agree. */
async function agreementOf(
  { plan, variants }: PlannedRun,
  outputUris: readonly S3Uri[],
  { store, scratchDirectory }: StepDeps,
): Promise<VariantAgreement[]> {
  const files = resultObjects(outputUris, {
    store,
    scratchDirectory: join(scratchDirectory, plan.run_id, 'agreement'),
  });
  return compareVariants(files, {
    variants: variants.map(({ name = '', input, call }) => ({
      name,
      columns: resultColumnsOfRun(input, call),
    })),
    maxRows: MAX_COMPARED_ROWS,
  });
}

/** A worker left over from before the run was taken up again must not say that it has ended. */
function refuseUnfinished(turns: readonly Turn[]): void {
  const repacked = repackedParts(turns);
  const owing = turns.filter(({ part, ledger }) => ledger.owed.records > 0 && !repacked.has(part.part_id));
  if (owing.length === 0) return;
  throw new ServiceUnavailableError(
    `${owing.length} parts are owed another attempt, and nothing says that the run was stopped: it is being taken up again.`,
  );
}

async function readTurns(waves: number, layout: RunLayout, deps: StepDeps): Promise<Turn[]> {
  const turns: Turn[] = [];
  for (let wave = 1; wave <= waves; wave += 1) {
    const found = await readWave(wave, layout, deps);
    // Dispatch has seen all of them: what is not there now was deleted since, and what reads it says so.
    if (found === undefined) await readJson(deps.store, layout.waveParts(wave), WaveParts);
    for (const { part_id } of found?.missing ?? [])
      await readJson(deps.store, layout.ledger(part_id), PartLedger);
    turns.push(...(found?.turns ?? []));
  }
  return turns;
}

/** What became of every part of the dataset in the end, in the order of its rows. */
function readFinals(turns: readonly Turn[], layout: RunLayout, { store }: StepDeps): Promise<MergedLedger[]> {
  const repacked = repackedParts(turns);
  const parts = turns.filter(({ part }) => part.sources.length === 0);
  // The pilot may be another than the first part.
  const inOrder = parts.sort((a, b) => (a.part.part_id < b.part.part_id ? -1 : 1));
  return pLimit(CONCURRENT_READS).map(inOrder, (turn) =>
    needsMerge(turn, repacked)
      ? readJson(store, layout.merged(turn.part.part_id), MergedLedger)
      : Promise.resolve<MergedLedger>(turn.ledger),
  );
}

/** What is to be proved of a run: its ledger, by the files of its output. */
interface Proof {
  rows: RunSummary['rows'];
  variants: readonly EndedVariant[];
  outputUris: RunSummary['output_uris'];
}

async function proveRows(
  { plan, variants: asked }: PlannedRun,
  { rows, variants, outputUris }: Proof,
  { store, scratchDirectory }: StepDeps,
): Promise<AttemptCounts[]> {
  if (!isBalanced(rows) || rows.total !== ledgerRowsOf(plan)) {
    throw new LedgerMismatchError(
      `The ledger has ${JSON.stringify(rows)}, but the run has ${ledgerRowsOf(plan)} rows. Nothing was deleted; please report this.`,
    );
  }
  const files = resultObjects(outputUris as S3Uri[], {
    store,
    scratchDirectory: join(scratchDirectory, plan.run_id, 'summarize'),
  });
  const attempts: AttemptCounts[] = [];
  for (const [index, { output_column, name }] of plan.variants.entries()) {
    const ofVariant = addRowCounts((variants[index]?.finals ?? []).map((final) => final.rows));
    const recounted = await recountResults(files, output_column, {
      isTyped: asked[index]?.call.schema !== undefined,
      isReusing: plan.reuse !== undefined,
      suffix: name === undefined ? '' : `_${name}`,
    });
    if (JSON.stringify(recounted.rows) !== JSON.stringify(ofVariant)) {
      throw new LedgerMismatchError(
        `The output files have ${JSON.stringify(recounted.rows)}${name === undefined ? '' : ` in variant "${name}"`}, but the ledger ${JSON.stringify(ofVariant)}. Were files below ${plan.run_id}/output changed?`,
      );
    }
    attempts.push(...recounted.attempts);
  }
  return addAttempts(attempts);
}

function toResult(summary: RunSummary, layout: RunLayout): Omit<SummarizeResult, 'report_uri'> {
  return {
    run_id: summary.run_id,
    status: summary.status,
    ...errorOf(summary),
    rows: summary.rows,
    summary_uri: layout.summary,
    output_uri: layout.output('').replace(/\.parquet$/, ''),
    output_paths: summary.output_uris.slice(0, MAX_OUTPUT_PATHS),
  };
}

/** A systematic fault fails the execution, though what it collected is kept; a run that ran out of money has ended. */
function errorOf({ status, stop, rows }: RunSummary): { error: string | null; message: string | null } {
  if (status !== 'stopped' || stop?.reason !== 'systematic_fault') return { error: null, message: null };
  return {
    error: new SystematicFaultError().name,
    message: `${stop.message} ${rows.succeeded} of ${rows.total} rows have an answer, which is kept. Once the cause is gone, start the run again under the same run_id: only the other rows are sent.`,
  };
}
