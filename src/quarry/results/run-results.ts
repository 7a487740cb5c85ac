import { errorColumnsOf, type RunSummary } from '../../core/run/summary.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { type ResultRows, readResults } from '../../rows/results/read-results.ts';
import { runLayout, runUriOf } from '../../runs/run-layout.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { resultFiles } from '../../targets/result-files.ts';
import type { RunFiles } from '../../targets/run-files.ts';

/** A row of the dataset with what became of it. The answer is in `response`, `embedding`, or the run's `output_column`. */
export type ResultRow<Columns = Record<string, unknown>> = Columns & {
  /** Null where the row has its answer. */
  error_code: string | null;
  error_message: string | null;
  stop_reason: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  /** Those of the output that were thoughts; only where the model is told to think, and tells them. */
  thinking_tokens?: number | null;
  /** How often it was sent. */
  attempts: number;
};

/** Which rows are read. */
export type ResultsOptions = ResultRows;

/** The rows of a run that has ended, in the order of the dataset, a thousand of them in memory at a time. */
export async function* readRows<Columns>(
  summary: RunSummary,
  files: RunFiles,
  options: ResultsOptions,
): AsyncGenerator<ResultRow<Columns>, void> {
  const rows = readResults(resultFiles(summary, files), {
    ...options,
    errorColumns: errorColumnsOf(summary),
  });
  for await (const row of rows) yield row as ResultRow<Columns>;
}

/** The output files as other programs can open them: paths of this machine, or S3 URIs. */
export function outputPathsOf(summary: RunSummary, { localPath }: ObjectStore): string[] {
  return summary.output_uris.map((uri) => localPath?.(uri as S3Uri) ?? uri);
}

/** The page of a run that has ended: a path of this machine, or an S3 URI; null where there is none, or it may not be looked at. */
export async function reportPathOf(
  { run_id }: RunSummary,
  { store, bucket }: Pick<RunFiles, 'store' | 'bucket'>,
): Promise<string | null> {
  const { report } = runLayout(runUriOf(bucket, run_id));
  const found = await store.head(report).catch(() => undefined);
  return found === undefined ? null : (store.localPath?.(report) ?? report);
}
