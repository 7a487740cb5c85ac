import { isDeepStrictEqual } from 'node:util';
import { InvalidRunInputError } from '../../core/errors.ts';
import type { Dataset } from '../../core/plan/part.ts';
import { isSideBySide, pricedModelOf, type RunPlan } from '../../core/plan/run-plan.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import type { LaidAnswers } from '../../rows/answers/laid-answers.ts';
import { layResults, missingColumn } from '../../rows/answers/lay-results.ts';
import type { DuckDb } from '../../rows/duckdb/duckdb.ts';
import type { ResultColumns } from '../../rows/results/result-columns.ts';
import { resultObjects } from '../../rows/results/result-objects.ts';
import { findRun } from '../../runs/run-store.ts';
import type { PlanDeps } from '../deps.ts';
import type { ModelCall } from '../plan/model-call.ts';

/** A run that takes the good answers of another one, as far as the two must be alike. */
export interface FormerRequest {
  input: RunInput;
  call: ModelCall;
  dataset: Dataset;
}

/** The answers of the run that `rerun_of` names, laid into the rows that are not sent again. */
export async function layFormerRun(
  db: DuckDb,
  {
    columns,
    scratchDirectory,
    ...request
  }: FormerRequest & { columns: ResultColumns; scratchDirectory: string },
  { store, settings }: Pick<PlanDeps, 'store' | 'settings'>,
): Promise<{ laid: LaidAnswers | undefined; answers: number; changed: number; notes: string[] }> {
  const { input } = request;
  const runId = String(input.rerun_of);
  const { plan, summary } = await findRun({ store, bucket: settings.bucket }, runId);
  if (summary === undefined) {
    throw new InvalidRunInputError(
      `rerun_of: run "${runId}" has not ended yet, and which of its rows have an answer is known when it has. Go on with it: quarry resume ${runId}`,
    );
  }
  if (isSideBySide(plan)) {
    throw new InvalidRunInputError(
      `rerun_of: run "${runId}" has variants, and a rerun is of a run without. Run one of them alone with variant, which takes the answers that it has and sends the others.`,
    );
  }
  requireAlike(plan, request);
  requireSameAnswerer(plan, { simulated: summary.simulated, settings });
  const files = resultObjects(summary.output_uris as S3Uri[], { store, scratchDirectory });
  const missing = await missingColumn(db, { files, columns });
  if (missing !== undefined) {
    throw new InvalidRunInputError(
      `rerun_of: the results of "${runId}" have no column "${missing.name}" of the type ${missing.type}, which this run's have. output_column, output_schema and output_prefix must be those of that run.`,
    );
  }
  const again = input.rerun_rows ?? [];
  const laid = await layResults(db, {
    files,
    runId,
    columns,
    without: { truncated: again.includes('truncated'), refused: again.includes('refused') },
    scratchDirectory,
  });
  return { laid, answers: summary.rows.succeeded, changed: 0, notes: [] };
}

/** Throws where answers of the two could not stand in one table. */
function requireAlike(former: RunPlan, { input, call, dataset }: FormerRequest): void {
  const filesOf = ({ files }: Dataset) =>
    files.map(({ uri, bytes, etag, rows }) => ({ uri, bytes, etag, rows }));
  if (!isDeepStrictEqual(filesOf(former.dataset), filesOf(dataset))) {
    throw new InvalidRunInputError(
      `rerun_of: run "${former.run_id}" was of other files: which of its rows are which is not known. Give the dataset that it had, unchanged, or take answers by what was asked, with reuse.`,
    );
  }
  if (!isDeepStrictEqual(former.input.output_schema, input.output_schema)) {
    throw new InvalidRunInputError(
      `rerun_of: run "${former.run_id}" had another output_schema, and its answers would stand beside answers of this one. Leave output_schema as it was.`,
    );
  }
  const [variant] = former.variants;
  const isOtherSpace =
    pricedModelOf(variant) !== call.pricedId ||
    !isDeepStrictEqual(variant.parameters, input.inference_parameters ?? {});
  if (call.adapter.output.kind === 'embedding' && isOtherSpace) {
    throw new InvalidRunInputError(
      `rerun_of: the embeddings of "${former.run_id}" are of another model or of other parameters, and vectors of two of them do not go together. Leave both as they were.`,
    );
  }
}

/** Throws where one of the two is answered by somebody who only stands in for the model. */
function requireSameAnswerer(
  { run_id, model_server }: RunPlan,
  { simulated, settings }: { simulated: boolean; settings: PlanDeps['settings'] },
): void {
  const isSame =
    simulated === settings.simulated && (model_server === undefined) === (settings.modelServer === undefined);
  if (isSame) return;
  throw new InvalidRunInputError(
    `rerun_of: the answers of "${run_id}" are ${simulated ? 'simulated' : model_server === undefined ? 'Bedrock’s' : 'those of a server of your own'}, and this run's would not be: they must not stand in one table. Choose the same target and model endpoint.`,
  );
}
