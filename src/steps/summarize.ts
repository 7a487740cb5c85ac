import { z } from 'zod';
import { LedgerMismatchError } from '../core/errors.ts';
import { JobRecord } from '../core/job-record.ts';
import { addReasons, addRowCounts, addTokenCounts, isBalanced, PartLedger } from '../core/ledger.ts';
import { WavePart } from '../core/part.ts';
import type { RunPlan } from '../core/run-plan.ts';
import { RunSummary } from '../core/summary.ts';
import { recountLedger } from '../dataset/read-results.ts';
import { batchPriceOf, costUsd } from '../models/prices.ts';
import { readJson, readJsonIfPresent, writeJson } from '../store/json-object.ts';
import type { RunLayout } from '../store/run-layout.ts';
import { isCancelled } from './cancellation.ts';
import { withLocalFiles } from './dataset-files.ts';
import type { StepDeps } from './deps.ts';
import { readPlan } from './read-plan.ts';
import type { RunState } from './run-state.ts';

/** The execution's output: where everything is, and the ledger. */
export interface SummarizeResult {
  run_id: string;
  status: RunSummary['status'];
  rows: RunSummary['rows'];
  summary_uri: string;
  /** Folder of the output files. */
  output_uri: string;
  /** The output files, as far as they fit into the state payload; the summary has them all. */
  output_paths: string[];
}

/** Output files that the execution's output names; more would endanger its 256 KiB. */
const MAX_OUTPUT_PATHS = 500;

/** Adds up the ledger, proves from the output files themselves that rows out are rows in, writes the summary. */
export async function summarize(state: RunState, deps: StepDeps): Promise<SummarizeResult> {
  const { store, clock, settings } = deps;
  const { layout, plan } = await readPlan(state.run_uri, deps);
  const known = await readJsonIfPresent(store, layout.summary, RunSummary);
  if (known !== undefined) return toResult(known, layout);

  const turns = await readTurns(state.wave, layout, deps);
  const ledgers = turns.map(({ ledger }) => ledger);
  const rows = addRowCounts(ledgers.map((ledger) => ledger.rows));
  const outputUris = ledgers.map(({ part_id }) => layout.output(part_id));
  await proveRows(rows, plan, outputUris, deps);

  const price = batchPriceOf(plan.model.model_id);
  const cost =
    price &&
    turns.reduce(
      // On demand costs twice the batch price.
      (sum, { part, ledger }) => sum + costUsd(price, ledger.tokens) * (part.mode === 'on_demand' ? 2 : 1),
      0,
    );
  const cancelled = await isCancelled(layout, store);
  const summary: RunSummary = {
    format_version: 1,
    quarry_version: settings.version,
    run_id: plan.run_id,
    status: rows.succeeded === rows.total ? 'succeeded' : cancelled ? 'cancelled' : 'partly_succeeded',
    rows,
    reasons: addReasons(ledgers.flatMap(({ reasons }) => reasons)),
    tokens: addTokenCounts(ledgers.map(({ tokens }) => tokens)),
    cost_usd: cost ?? null,
    jobs: await countJobs(turns, layout, deps),
    on_demand_records: turns.reduce(
      (sum, { part }) => sum + (part.mode === 'on_demand' ? part.records : 0),
      0,
    ),
    simulated: settings.simulated,
    output_uris: outputUris,
    started_at: plan.created_at,
    ended_at: new Date(clock.now()).toISOString(),
    input: plan.input,
    input_hash: plan.input_hash,
    prompt_hash: plan.prompt_hash,
    model_id: plan.model.model_id,
    dataset_files: plan.dataset.files,
    dataset_rows: plan.dataset.rows,
    hub: plan.hub,
  };
  await writeJson(store, layout.summary, summary);
  return toResult(summary, layout);
}

/** One part's turn in one wave, and its ledger. */
interface Turn {
  part: WavePart;
  ledger: PartLedger;
}

async function readTurns(waves: number, layout: RunLayout, { store }: StepDeps): Promise<Turn[]> {
  const turns: Turn[] = [];
  for (let wave = 1; wave <= waves; wave += 1) {
    for (const part of await readJson(store, layout.waveParts(wave), z.array(WavePart))) {
      turns.push({ part, ledger: await readJson(store, layout.ledger(part.part_id), PartLedger) });
    }
  }
  return turns;
}

async function proveRows(
  rows: RunSummary['rows'],
  plan: RunPlan,
  outputUris: RunSummary['output_uris'],
  { store }: StepDeps,
): Promise<void> {
  if (!isBalanced(rows) || rows.total !== plan.selected_rows) {
    throw new LedgerMismatchError(
      `The ledger has ${JSON.stringify(rows)}, but the run is of ${plan.selected_rows} rows. Nothing was deleted; please report this.`,
    );
  }
  const files = outputUris.map((uri) => ({ uri: uri as `s3://${string}`, size: 0, etag: '' }));
  const recounted = await withLocalFiles(files, store, (local) =>
    recountLedger(
      local.map(({ path }) => path),
      plan.output_column,
    ),
  );
  if (JSON.stringify(recounted) !== JSON.stringify(rows)) {
    throw new LedgerMismatchError(
      `The output files have ${JSON.stringify(recounted)}, but the ledger ${JSON.stringify(rows)}. Were files below ${plan.run_id}/output changed?`,
    );
  }
}

async function countJobs(turns: readonly Turn[], layout: RunLayout, { store }: StepDeps): Promise<number> {
  let jobs = 0;
  for (const { part } of turns) {
    if (part.mode !== 'batch') continue;
    const record = await readJsonIfPresent(store, layout.job(part.part_id), JobRecord);
    if (record?.job_arn) jobs += 1;
  }
  return jobs;
}

function toResult(summary: RunSummary, layout: RunLayout): SummarizeResult {
  return {
    run_id: summary.run_id,
    status: summary.status,
    rows: summary.rows,
    summary_uri: layout.summary,
    output_uri: layout.output('').replace(/\.parquet$/, ''),
    output_paths: summary.output_uris.slice(0, MAX_OUTPUT_PATHS),
  };
}
