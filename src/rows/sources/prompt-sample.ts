import { join } from 'node:path';
import type { Dataset } from '../../core/plan/part.ts';
import type { RecordFrame } from '../../models/record-frame.ts';
import { columnsRead, promptBytesSql } from '../prepare/record-sql.ts';
import { readingRows } from './damaged-source.ts';
import { firstRows, inScratch } from './dataset-rows.ts';
import type { LocalDatasetFile } from './describe-dataset.ts';
import { type FileRead, openRelations } from './source-relation.ts';

/** Most rows that are read to estimate the size of prompts. */
export const MAX_SAMPLED_ROWS = 10_000;

/** The same of rows with images or documents, which may well be in the dataset itself. */
export const MAX_SAMPLED_MEDIA = 1_000;

const SAMPLE_WINDOWS = 10;

/** The size of the rendered prompts, in UTF-8 bytes, over a sample of `rows` rows at most, of those whose prompt is not null. */
export async function samplePromptBytes(
  files: readonly LocalDatasetFile[],
  dataset: Dataset,
  frame: RecordFrame,
  rows = frame.media === undefined ? MAX_SAMPLED_ROWS : MAX_SAMPLED_MEDIA,
): Promise<{ meanBytes: number; maxBytes: number; sampledRows: number }> {
  const size = promptBytesSql(frame, dataset.columns);
  const [firstColumn] = dataset.columns;
  const placeholders = columnsRead(frame, dataset.columns);
  const columns =
    placeholders.length > 0 ? placeholders : firstColumn === undefined ? [] : [firstColumn.name];
  let [bytes, maxBytes, sampledRows] = [0, 0, 0];
  await inScratch(async (db, scratchDirectory) => {
    const sampled = openRelations({
      format: dataset.format,
      columns,
      reads: sampleReads(files, dataset, rows),
      scratchPrefix: join(scratchDirectory, 'text-'),
    });
    for await (const relation of sampled) {
      await using read = relation;
      const sample = await readingRows(db, read, () =>
        db.row(
          `SELECT CAST(coalesce(sum(size), 0) AS DOUBLE) AS bytes, CAST(coalesce(max(size), 0) AS DOUBLE) AS largest, CAST(count(size) AS INTEGER) AS "rows" FROM (SELECT ${size} AS size FROM ${read.from})`,
        ),
      );
      bytes += Number(sample.bytes);
      maxBytes = Math.max(maxBytes, Number(sample.largest));
      sampledRows += Number(sample.rows);
    }
  });
  return { meanBytes: sampledRows === 0 ? 0 : bytes / sampledRows, maxBytes, sampledRows };
}

/** The first rows of text files, which cannot be read elsewhere; windows spread over Parquet ones. */
export function sampleReads(
  files: readonly LocalDatasetFile[],
  dataset: Dataset,
  most = MAX_SAMPLED_ROWS,
): FileRead[] {
  const { format, rows } = dataset;
  if (format !== 'parquet' || most > MAX_SAMPLED_ROWS || rows <= most) return firstRows(files, dataset, most);
  const starts = Array.from({ length: SAMPLE_WINDOWS }, (_, index) =>
    Math.floor((index * rows) / SAMPLE_WINDOWS),
  );
  return firstRows(files, dataset).flatMap(({ wholeBytes: _, ...read }) => {
    const [first, end] = [read.firstRow ?? 0, (read.firstRow ?? 0) + (read.windows[0]?.rows ?? 0)];
    const windows = starts
      .filter((start) => start >= first && start < end)
      .map((start) => ({
        firstRow: start - first,
        rows: Math.min(most / SAMPLE_WINDOWS, end - start),
      }));
    return windows.length === 0 ? [] : [{ ...read, windows }];
  });
}
