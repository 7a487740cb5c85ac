import { rename } from 'node:fs/promises';
import { columnGiven } from '../../core/plan/names-apart.ts';
import type { Column } from '../../core/plan/part.ts';
import type { MediaSupport } from '../../models/media.ts';
import type { RecordFrame, RecordSegment } from '../../models/record-frame.ts';
import { inTurn } from '../bytes/in-turn.ts';
import { openRecordsFile } from '../bytes/records-file.ts';
import { type DuckDb, sqlName, sqlText, unguarded } from '../duckdb/duckdb.ts';
import { copyToParquet, type ParquetCopy, readParquetSql, readUnpackedBytes } from '../duckdb/parquet.ts';
import {
  ERROR_CODE_COLUMN,
  ERROR_MESSAGE_COLUMN,
  promptsSql,
  RECORD_ID_COLUMN,
  recordTextsSql,
} from '../prepare/record-sql.ts';
import { faultColumns, mediaFault } from './media-fault.ts';
import type { MediaReader } from './media-reader.ts';
import { mediaSql } from './media-sql.ts';
import { type MediaValue, type ReadMedia, readMediaValue } from './media-value.ts';

/** What the model takes, and who reads it. */
export interface RowMedia {
  support: MediaSupport;
  reader: MediaReader;
}

/** A part's rows, whose records are to be written. */
export interface MediaPart {
  partId: string;
  frame: RecordFrame;
  columns: readonly Column[];
  /** SQL that is true of the rows that are sent. */
  isSent: string;
  rowsPath: string;
  recordsPath: string;
  rowsCompression: ParquetCopy['compression'];
  rowGroups: NonNullable<ParquetCopy['rowGroups']>;
  /** Once there are more bytes than this, the rest of the records is not written: the part is cut in two. */
  maxBytes: number;
}

/** Rows whose images are read at once. */
const ROWS_AHEAD = 8;
/** Most rows, and bytes of rows, that are asked of the database at once. */
const [WINDOW_ROWS, WINDOW_BYTES] = [256, 8_000_000];
/** Faults in one INSERT. */
const INSERT_ROWS = 500;

/**
 * Writes the records of rows with images or documents, one after the other, and marks the rows whose own cannot be sent; the
 * number of records. Only a few rows are held at once.
 */
export async function writeMediaRecords(
  db: DuckDb,
  part: MediaPart,
  media: RowMedia,
): Promise<{ records: number; isWhole: boolean }> {
  const output = openRecordsFile(part.recordsPath);
  const faults: RowFault[] = [];
  let [records, bytes] = [0, 0];
  try {
    for await (const rows of windowsOf(db, part)) {
      for await (const [row, made] of inTurn(
        rows,
        (next) => makeRecord(next, part.frame, media),
        ROWS_AHEAD,
      )) {
        if (made.kind === 'fault') {
          faults.push({ place: row.place, ...made });
          continue;
        }
        for (const piece of made.pieces) bytes += piece.length;
        await output.write(Buffer.concat(made.pieces));
        records += 1;
        if (bytes > part.maxBytes) break;
      }
      if (bytes > part.maxBytes) break;
    }
    await output.end();
  } finally {
    output.discard();
  }
  const isWhole = bytes <= part.maxBytes;
  if (isWhole && faults.length > 0) await markFaults(db, part, faults);
  return { records, isWhole };
}

/** A row that is to be sent. */
interface AskedRow {
  place: number;
  /** Its record's texts, around its images and documents. */
  texts: string[];
  values: MediaValue[];
}

interface RowFault {
  place: number;
  code: string;
  message: string;
}

/** The rows that are sent, in order, a few at once. */
async function* windowsOf(db: DuckDb, part: MediaPart): AsyncGenerator<AskedRow[]> {
  const { rowsPath, isSent } = part;
  const { rows, bytes } = await readUnpackedBytes(db, rowsPath);
  const step = Math.max(1, Math.min(WINDOW_ROWS, Math.floor(WINDOW_BYTES / (bytes / Math.max(1, rows) + 1))));
  for (let from = 0; from < rows; from += step) {
    const range = `file_row_number >= ${from} AND file_row_number < ${from + step}`;
    const found = await db.rows(rowsSql(part, `${readParquetSql(rowsPath)} WHERE ${range} AND ${isSent}`));
    yield found.map((row) => toAskedRow(row, part.frame));
  }
}

function rowsSql({ frame, columns }: MediaPart, from: string): string {
  const { media = [] } = frame;
  const prompts = promptsSql(frame, columns);
  const promptNames = prompts.map((_, index) => `prompt_${index}`);
  const values = media.flatMap(({ column }, index) => {
    const { bytes, text } = mediaSql(columnGiven(columns, column) ?? { name: column, type: '' });
    return [`to_base64(${bytes}) AS media_${index}_base64`, `${text} AS media_${index}_text`];
  });
  const read = [
    'CAST(file_row_number AS DOUBLE) AS place',
    RECORD_ID_COLUMN,
    ...prompts.map((sql, index) => `${sql} AS ${promptNames[index]}`),
    ...values,
  ];
  const kept = ['place', ...media.flatMap((_, index) => [`media_${index}_base64`, `media_${index}_text`])];
  return `${recordTextsSql(frame, {
    recordId: RECORD_ID_COLUMN,
    prompts: promptNames,
    from: `SELECT ${read.join(', ')} FROM ${from}`,
    names: textNamesOf(frame),
    kept,
  })} ORDER BY place`;
}

function textNamesOf(frame: RecordFrame): string[] {
  return [0, ...mediaSegmentsOf(frame)].map((_, index) => `text_${index}`);
}

type MediaSegment = Extract<RecordSegment, { kind: 'media' }>;

function mediaSegmentsOf({ segments }: RecordFrame): MediaSegment[] {
  return segments.filter((segment) => segment.kind === 'media');
}

function toAskedRow(row: Record<string, unknown>, frame: RecordFrame): AskedRow {
  const textOf = (value: unknown) => (value === null || value === undefined ? null : unguarded(value));
  return {
    place: Number(row.place),
    texts: textNamesOf(frame).map((name) => String(row[name])),
    values: (frame.media ?? []).map((_, index) => ({
      base64: (row[`media_${index}_base64`] ?? null) as string | null,
      text: textOf(row[`media_${index}_text`]),
    })),
  };
}

type MadeRecord = { kind: 'record'; pieces: Buffer[] } | { kind: 'fault'; code: string; message: string };

/** A row's line, or why it has none. */
async function makeRecord(
  { texts, values }: AskedRow,
  frame: RecordFrame,
  { support, reader }: RowMedia,
): Promise<MadeRecord> {
  const { media = [] } = frame;
  const read: ReadMedia[] = [];
  let bytes = 0;
  for (const [index, column] of media.entries()) {
    const value = values[index] ?? { base64: null, text: null };
    const found = await readMediaValue(value, { column, support, reader });
    if (found.kind === 'fault') return { kind: 'fault', ...faultColumns(found, column) };
    bytes += found.base64.length;
    if (bytes > support.maxRequestBytes)
      return { kind: 'fault', ...faultColumns(tooMuch(bytes, support), column) };
    read.push(found);
  }
  return { kind: 'record', pieces: piecesOf(texts, read, frame) };
}

function tooMuch(bytes: number, { maxRequestBytes }: MediaSupport) {
  const [has, most] = [bytes, maxRequestBytes].map((number) => number.toLocaleString('en-US'));
  return mediaFault(
    'TooLarge',
    `and those before it in the row have ${has} bytes in Base64; a request takes up to ${most}`,
  );
}

function piecesOf(texts: readonly string[], read: readonly ReadMedia[], frame: RecordFrame): Buffer[] {
  const segments = mediaSegmentsOf(frame);
  const pieces = texts.flatMap((text, at) => {
    const segment = segments[at];
    const value = segment === undefined ? undefined : read[segment.index]?.[segment.value];
    // What stands there has no character that JSON would escape.
    return value === undefined
      ? [Buffer.from(text)]
      : [Buffer.from(`${text}"`), Buffer.from(value, 'latin1'), Buffer.from('"')];
  });
  return [...pieces, Buffer.from('\n')];
}

/** Writes the rows again, with what is wrong with some of them. */
async function markFaults(db: DuckDb, part: MediaPart, faults: readonly RowFault[]): Promise<void> {
  const { partId, rowsPath, rowsCompression, rowGroups } = part;
  const table = sqlName(`media_faults_${partId}`);
  const marked = `${rowsPath}.marked`;
  await db.run(`CREATE TABLE ${table} (place BIGINT, code VARCHAR, message VARCHAR)`);
  try {
    for (let start = 0; start < faults.length; start += INSERT_ROWS) {
      const values = faults
        .slice(start, start + INSERT_ROWS)
        .map(({ place, code, message }) => `(${place}, ${sqlText(code)}, ${sqlText(message)})`);
      await db.run(`INSERT INTO ${table} VALUES ${values.join(', ')}`);
    }
    const { rows, bytes } = await readUnpackedBytes(db, rowsPath);
    await copyToParquet(db, {
      sql: `SELECT input.* EXCLUDE (file_row_number) REPLACE (coalesce(fault.code, input.${ERROR_CODE_COLUMN}) AS ${ERROR_CODE_COLUMN}), fault.message AS ${ERROR_MESSAGE_COLUMN}
        FROM (SELECT *, file_row_number FROM ${readParquetSql(rowsPath)}) AS input LEFT JOIN ${table} AS fault ON fault.place = input.file_row_number ORDER BY input.file_row_number`,
      path: marked,
      compression: rowsCompression,
      bytesPerRow: bytes / Math.max(1, rows),
      rowGroups,
    });
    await rename(marked, rowsPath);
  } finally {
    await db.run(`DROP TABLE ${table}`);
  }
}
