import { join } from 'node:path';
import { columnGiven } from '../../core/plan/names-apart.ts';
import type { Dataset } from '../../core/plan/part.ts';
import type { MediaColumn } from '../../models/record-frame.ts';
import { inTurn } from '../bytes/in-turn.ts';
import { unguarded } from '../duckdb/duckdb.ts';
import { readingRows } from '../sources/damaged-source.ts';
import { inScratch } from '../sources/dataset-rows.ts';
import type { LocalDatasetFile } from '../sources/describe-dataset.ts';
import { sampleReads } from '../sources/prompt-sample.ts';
import { openRelations } from '../sources/source-relation.ts';
import { faultColumns } from './media-fault.ts';
import type { RowMedia } from './media-records.ts';
import { mediaSql } from './media-sql.ts';
import { type MediaValue, readMediaValue } from './media-value.ts';

/** Rows whose images and documents are looked at before a run; of those that are addresses, fewer. */
export const MAX_SAMPLED_MEDIA_ROWS = 100;
const MAX_SAMPLED_ADDRESSES = 10;
const READS_AT_ONCE = 8;

/** What a sample of a dataset's images and documents is like. */
export interface MediaSample {
  /** Rows that were looked at; rows with a null are not among them. */
  rows: number;
  /** Of these, the rows with one that cannot be sent. */
  faulty: number;
  /** What is wrong with the first of them, and its code. */
  firstFault: { code: string; message: string } | undefined;
  /** Bytes of all of a row's, in Base64. */
  meanBytes: number;
  /** Tokens that a row's images are counted as; 0 where the family does not tell. */
  meanTokens: number;
}

/** Reads the images and documents of a few rows, spread over the dataset. */
export async function sampleMedia(
  files: readonly LocalDatasetFile[],
  dataset: Dataset,
  { columns, media }: { columns: readonly MediaColumn[]; media: RowMedia },
): Promise<MediaSample> {
  const sample: MediaSample = { rows: 0, faulty: 0, firstFault: undefined, meanBytes: 0, meanTokens: 0 };
  const selected = columns.flatMap(({ column }, index) => {
    const { bytes, text } = mediaSql(columnGiven(dataset.columns, column) ?? { name: column, type: '' });
    return [`to_base64(${bytes}) AS base64_${index}`, `${text} AS text_${index}`];
  });
  let [bytes, tokens, addresses] = [0, 0, 0];
  await inScratch(async (db, scratchDirectory) => {
    const sampled = openRelations({
      format: dataset.format,
      columns: columns.map(({ column }) => columnGiven(dataset.columns, column)?.name ?? column),
      reads: sampleReads(files, dataset, MAX_SAMPLED_MEDIA_ROWS),
      scratchPrefix: join(scratchDirectory, 'text-'),
    });
    for await (const relation of sampled) {
      await using read = relation;
      const found = await readingRows(db, read, () =>
        db.rows(`SELECT ${selected.join(', ')} FROM ${read.from}`),
      );
      const rows = found
        .map((row) => columns.map((_, index) => mediaValueOf(row, index)))
        .filter((values) => values.every(({ base64, text }) => base64 !== null || text !== null))
        .filter((values) => {
          const isAddress = values.some(({ text }) => /^https?:/i.test(text ?? ''));
          addresses += isAddress ? 1 : 0;
          return !isAddress || addresses <= MAX_SAMPLED_ADDRESSES;
        });
      for await (const [, size] of inTurn(
        rows,
        (values) => sizeOfRow(values, columns, media),
        READS_AT_ONCE,
      )) {
        sample.rows += 1;
        bytes += size.bytes;
        tokens += size.tokens;
        if (size.fault === undefined) continue;
        sample.faulty += 1;
        sample.firstFault ??= size.fault;
      }
    }
  });
  const sound = Math.max(1, sample.rows - sample.faulty);
  return { ...sample, meanBytes: bytes / sound, meanTokens: tokens / sound };
}

function mediaValueOf(row: Record<string, unknown>, index: number): MediaValue {
  const text = row[`text_${index}`] ?? null;
  return {
    base64: (row[`base64_${index}`] ?? null) as string | null,
    text: text === null ? null : unguarded(text),
  };
}

interface RowSize {
  bytes: number;
  tokens: number;
  fault?: NonNullable<MediaSample['firstFault']>;
}

async function sizeOfRow(
  values: readonly MediaValue[],
  columns: readonly MediaColumn[],
  { support, reader }: RowMedia,
): Promise<RowSize> {
  let [bytes, tokens] = [0, 0];
  for (const [index, column] of columns.entries()) {
    const read = await readMediaValue(values[index] ?? { base64: null, text: null }, {
      column,
      support,
      reader,
    });
    if (read.kind === 'fault') return { bytes: 0, tokens: 0, fault: faultColumns(read, column) };
    bytes += read.base64.length;
    if (read.size !== undefined) tokens += support.imageTokens?.(read.size) ?? 0;
  }
  return { bytes, tokens };
}
