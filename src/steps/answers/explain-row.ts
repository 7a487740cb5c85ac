import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { InvalidRunInputError } from '../../core/errors.ts';
import { pricedModelOf, type RunPlan, type Variant } from '../../core/plan/run-plan.ts';
import { columnsOf } from '../../models/record-frame.ts';
import { withStockDb } from '../../rows/answers/answer-stock.ts';
import { isOfFile } from '../../rows/answers/find-answers.ts';
import {
  type KeptOf,
  newestKept,
  type RowRequest,
  readResultValues,
  readRowRequest,
} from '../../rows/answers/row-request.ts';
import type { DuckDb } from '../../rows/duckdb/duckdb.ts';
import { resultObject } from '../../rows/results/result-objects.ts';
import { answersFolderUri, answersUri } from '../../runs/answers-layout.ts';
import { readRun } from '../../runs/run-store.ts';
import type { PlanDeps } from '../deps.ts';
import { withDatasetFiles } from '../plan/dataset-files.ts';
import type { PlanDraft } from '../plan/draft-plan.ts';
import { type PlannedRun, type PlannedVariant, plannedRunOf } from '../run/read-plan.ts';
import { listResultFiles } from '../run/result-files.ts';
import { answeringOf, askedOf, folderOf } from './asked.ts';

/** Why a row gets a kept answer, or none. */
export interface RowExplanation {
  record_id: string;
  /** The run whose answer it gets; null where it is sent. */
  reused_from: string | null;
  /** The run that asked this record last and kept its answer, with which it is compared; null where there is none. */
  compared_with: string | null;
  /** What differs from then, one sentence each; none where it is reused. */
  reasons: string[];
}

/** Characters of a value in a sentence. */
const SHOWN = 60;

/** Says why a row of a plan is reused, or why not: against the latest run that kept an answer for its record id. */
export async function explainRow(
  draft: PlanDraft,
  recordId: string,
  deps: PlanDeps,
): Promise<RowExplanation> {
  const { plan } = draft;
  if (plan.input.reuse !== true) {
    throw new InvalidRunInputError('explain goes with reuse: without it every row is sent.');
  }
  const scratchDirectory = join(deps.scratchDirectory, `explain-${plan.run_id}`);
  await mkdir(scratchDirectory, { recursive: true });
  return withStockDb(scratchDirectory, async (db) => {
    const look = { run: plannedRunOf(plan, draft.layout), plan, recordId, db, scratchDirectory };
    const row = await rowOf(look, deps);
    const said = { record_id: recordId, reused_from: null, compared_with: null };
    if (row.key === null) {
      return { ...said, reasons: ['A column that its prompt needs is null: it is not sent at all.'] };
    }
    const folder = answersFolderUri(
      deps.settings.bucket,
      folderOf(askedOf(plan.variants[0], deps.settings), deps),
    );
    const own = await newestIn(folder, { key: row.key }, look, deps);
    if (own !== undefined) return { ...said, reused_from: own.runId, compared_with: own.runId, reasons: [] };
    const before = await newestIn(answersUri(deps.settings.bucket), { recordId }, look, deps);
    if (before === undefined) {
      return { ...said, reasons: ['No run of this store has kept an answer for this record.'] };
    }
    return { ...said, compared_with: before.runId, reasons: await differences(before, row, look, deps) };
  });
}

interface Look {
  run: PlannedRun;
  plan: RunPlan;
  recordId: string;
  db: DuckDb;
  scratchDirectory: string;
}

async function rowOf(
  { run, plan, recordId, db, scratchDirectory }: Look,
  deps: PlanDeps,
): Promise<RowRequest> {
  const { dataset, selected_rows: rows, variants } = plan;
  const files = dataset.files.map((file) => ({ ...file, size: file.bytes }));
  const { store, settings } = deps;
  const row = await withDatasetFiles(files, { store, scratchDirectory, format: dataset.format }, (local) =>
    readRowRequest(db, {
      files: local,
      dataset,
      rows,
      frame: run.variants[0]?.call.frame ?? { segments: [] },
      asked: askedOf(variants[0], settings),
      recordIdColumn: run.input.record_id_column,
      recordId,
      scratchDirectory,
    }),
  );
  if (row !== undefined) return row;
  const hint =
    run.input.record_id_column === undefined
      ? 'Rows are named by their numbers, r0000000000 the first'
      : `Column ${run.input.record_id_column} names the rows`;
  throw new InvalidRunInputError(`The run has no record "${recordId}" to explain. ${hint}.`);
}

async function newestIn(
  folder: `s3://${string}`,
  where: { key: string } | { recordId: string },
  { db, scratchDirectory }: Look,
  { store }: PlanDeps,
): Promise<KeptOf | undefined> {
  let newest: KeptOf | undefined;
  for await (const { uri } of store.list(folder)) {
    if (!uri.endsWith('.parquet')) continue;
    try {
      const found = await newestKept(db, resultObject(uri, { store, scratchDirectory }), where);
      if (found !== undefined && (newest === undefined || found.answeredAt > newest.answeredAt))
        newest = found;
    } catch (error) {
      if (!isOfFile(error)) throw error;
    }
  }
  return newest;
}

/** What is other than it was in a former run. */
async function differences(
  { runId }: KeptOf,
  row: RowRequest,
  look: Look,
  deps: PlanDeps,
): Promise<string[]> {
  const stored = await readRun({ store: deps.store, bucket: deps.settings.bucket }, runId);
  if (stored === undefined) {
    return [`Run ${runId} asked this record otherwise; it is gone, so that it cannot be said what differs.`];
  }
  const whole = plannedRunOf(stored.plan, stored.layout);
  const then = likestVariant(whole, look.run);
  const reasons = [
    ...whoDiffers(look, { plan: then.plan, simulated: stored.summary?.simulated }, deps),
    ...askingDiffers(look.run, then),
    ...(await valuesDiffer(row, { former: whole, look }, deps)),
  ];
  return reasons.length > 0
    ? reasons
    : [
        'The request is another one, though prompt, parameters and columns are the same: Quarry spells it otherwise now.',
      ];
}

/** Of a former run with several variants, the one that is most like this run, as if it had been run alone: by its model, then by its prompt. */
function likestVariant(
  then: PlannedRun,
  {
    plan: {
      variants: [now],
    },
  }: PlannedRun,
): PlannedRun {
  const likeness = ({ model, prompt_template }: Variant) =>
    (pricedModelOf({ model }) === pricedModelOf(now) ? 2 : 0) +
    (prompt_template === now.prompt_template ? 1 : 0);
  const { variants } = then.plan;
  const likest = variants.reduce(
    (best, next) => (likeness(next) > likeness(best) ? next : best),
    variants[0],
  );
  const planned = then.variants[variants.indexOf(likest)] as PlannedVariant;
  return { ...then, plan: { ...then.plan, variants: [likest] }, input: planned.input, variants: [planned] };
}

function whoDiffers(
  { plan }: Look,
  then: { plan: RunPlan; simulated: boolean | undefined },
  { settings }: PlanDeps,
): string[] {
  const now = askedOf(plan.variants[0], settings);
  const before = askedOf(then.plan.variants[0], answeringOf(then.plan, then.simulated ?? settings.simulated));
  return [
    ...(now.modelId === before.modelId ? [] : [`Model: ${now.modelId}, and it was ${before.modelId}.`]),
    ...(now.answerer === before.answerer
      ? []
      : [`Who answers: ${now.answerer}, and it was ${before.answerer}.`]),
    ...(now.invocationType === before.invocationType
      ? []
      : [`It is asked through ${now.invocationType}, and was through ${before.invocationType}.`]),
  ];
}

/** Keys of the run input that are in every request, beside prompt and parameters. */
const ASKING = ['system_prompt', 'messages', 'output_schema', 'text_column'] as const;

function askingDiffers({ plan, input }: PlannedRun, then: PlannedRun): string[] {
  const [now, before] = [plan.variants[0], then.plan.variants[0]];
  const parameters = [...new Set([...Object.keys(now.parameters), ...Object.keys(before.parameters)])];
  const said = (value: unknown) => (value === undefined ? 'not given' : shown(JSON.stringify(value)));
  return [
    ...(now.prompt_template === before.prompt_template ? [] : ['The prompt has changed.']),
    ...ASKING.filter((key) => !isDeepStrictEqual(input[key], then.input[key])).map(
      (key) => `${key} has changed.`,
    ),
    ...(now.thinking === before.thinking
      ? []
      : [`thinking: ${said(now.thinking)}, and it was ${said(before.thinking)}.`]),
    ...(now.schema_form === before.schema_form
      ? []
      : [`The schema is told in the form ${said(now.schema_form)}, and it was ${said(before.schema_form)}.`]),
    ...parameters
      .filter((name) => !isDeepStrictEqual(now.parameters[name], before.parameters[name]))
      .map(
        (name) =>
          `Parameter ${name}: ${said(now.parameters[name])}, and it was ${said(before.parameters[name])}.`,
      ),
  ];
}

/** The columns that the request is made of, where they are others in the former run's output. */
async function valuesDiffer(
  { recordId, values }: RowRequest,
  { former, look }: { former: PlannedRun; look: Look },
  { store }: PlanDeps,
): Promise<string[]> {
  const { db, scratchDirectory } = look;
  const names = columnsOf(look.run.variants[0]?.call.frame ?? { segments: [] });
  const recordIdColumn = former.input.record_id_column ?? 'record_id';
  for (const { uri } of await listResultFiles(former.plan, former.layout, store)) {
    const file = resultObject(uri, { store, scratchDirectory });
    const before = await readResultValues(db, file, { recordIdColumn, recordId, names });
    if (before === undefined) continue;
    return names.flatMap((name) => {
      if (!before.has(name)) return [`Column ${name} is used, and was not there.`];
      const [is, was] = [values.get(name) ?? null, before.get(name) ?? null];
      return is === was ? [] : [`Column ${name}: ${quoted(is)}, and it was ${quoted(was)}.`];
    });
  }
  return [];
}

function quoted(value: string | null): string {
  return value === null ? 'null' : shown(JSON.stringify(value));
}

function shown(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`;
}
