import { type PromptPiece, placeholdersOf } from '../../prompts/prompt-template.ts';
import { columnText } from '../duckdb/column-text.ts';
import { type DuckDb, guardedSql, sqlName, unguarded } from '../duckdb/duckdb.ts';
import { parquetRangeSql, readUnpackedBytes } from '../duckdb/parquet.ts';
import { promptTextSql } from '../duckdb/prompt-text.ts';
import { makeRoomForColumns } from '../duckdb/wide-rows.ts';
import { type GivenColumn, readGivenColumns } from '../parquet/column-renaming.ts';
import {
  openResult,
  READ_MEMORY_MB,
  type RemoteResult,
  type ResultFile,
  withResults,
} from './read-results.ts';

/** A text, and how many of its characters were left out at its end. */
export interface CutText {
  text: string;
  cut: number;
}

/** A row as a person looks at it: what was asked, what came, and how. */
export interface ShownRow {
  file: number;
  row: number;
  record_id: string;
  /** Null where the row was not sent for want of a value. */
  prompt: CutText | null;
  answer: CutText | null;
  error_code: string | null;
  error_message: CutText | null;
  stop_reason: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  attempts: number;
}

/** Which rows, and how much of them. */
export interface PlacesRequest {
  /** The ones that matter most first. */
  places: readonly { file: number; row: number }[];
  pieces: readonly PromptPiece[];
  outputColumn: string;
  /** Characters of a text. */
  maxCharacters: number;
  /** Bytes that may be unpacked for it: what goes beyond is not read. */
  maxBytes: number;
}

/** What a row group of results has at most: src/rows/duckdb/parquet.ts. */
const ROW_GROUP = { rows: 10_240, bytes: 40_000_000 };

/** Rows of result files at these places, in the order of the dataset; fewer where they would cost more bytes than they may. */
export async function readPlaces(files: readonly ResultFile[], request: PlacesRequest): Promise<ShownRow[]> {
  const shown: ShownRow[] = [];
  let bytesLeft = request.maxBytes;
  await withResults(async (db) => {
    const wanted = Map.groupBy(request.places, ({ file }) => file);
    // What matters most is read first, while there are bytes left.
    for (const [file, places] of wanted) {
      const source = files[file];
      if (source === undefined || bytesLeft <= 0) continue;
      await using opened = await openResult(source);
      const { rows, bytes } = await readUnpackedBytes(db, opened.path);
      const bytesPerRow = bytes / Math.max(1, rows);
      const groupRows = Math.max(
        1,
        Math.min(ROW_GROUP.rows, Math.floor(ROW_GROUP.bytes / Math.max(1, bytesPerRow))),
      );
      const columns = await readGivenColumns(db, opened.path);
      await makeRoomForColumns(db, columns.length, READ_MEMORY_MB);
      const groups = Map.groupBy(places, ({ row }) => Math.floor(row / groupRows));
      for (const group of groups.values()) {
        if (bytesLeft <= 0) break;
        bytesLeft -= Math.min(rows, groupRows) * bytesPerRow;
        const rowNumbers = group.map(({ row }) => row);
        shown.push(...(await readRows(db, { opened, columns, file, rowNumbers, request })));
      }
    }
  });
  return shown.sort((a, b) => a.file - b.file || a.row - b.row);
}

interface GroupRead {
  opened: RemoteResult;
  columns: readonly GivenColumn[];
  file: number;
  rowNumbers: readonly number[];
  request: PlacesRequest;
}

async function readRows(
  db: DuckDb,
  { opened, columns, file, rowNumbers, request }: GroupRead,
): Promise<ShownRow[]> {
  const { pieces, outputColumn, maxCharacters } = request;
  const firstRow = Math.min(...rowNumbers);
  const window = { firstRow, rows: Math.max(...rowNumbers) - firstRow + 1 };
  const columnOf = (name: string) => columns.find(({ given }) => given === name);
  const textOf = (name: string) => {
    const column = columnOf(name);
    return column === undefined ? 'CAST(NULL AS VARCHAR)' : columnText(column);
  };
  const texts: Readonly<Record<string, string>> = {
    prompt: pieces.length === 0 ? 'CAST(NULL AS VARCHAR)' : promptTextSql(pieces, { textOf, nulls: 'null' }),
    answer: textOf(outputColumn),
    error_message: textOf('error_message'),
  };
  const cuts = Object.entries(texts).map(
    ([name, sql]) =>
      `${guardedSql(`left(${sql}, ${maxCharacters})`)} AS ${name}, CAST(length(${sql}) AS DOUBLE) AS ${name}_length`,
  );
  const others = ['record_id', 'error_code', 'stop_reason'].map(
    (name) => `${guardedSql(`left(${textOf(name)}, 200)`)} AS ${name}`,
  );
  const counts = ['input_tokens', 'output_tokens', 'attempts'].map(
    (name) => `CAST(${columnOf(name) === undefined ? 'NULL' : sqlName(name)} AS DOUBLE) AS ${name}`,
  );
  const needed = [
    ...placeholdersOf(pieces),
    ...[
      'error_message',
      'record_id',
      'error_code',
      'stop_reason',
      'input_tokens',
      'output_tokens',
      'attempts',
    ],
    outputColumn,
  ];
  await opened.fetchRows(needed, window);
  const found = await db.rows(
    `SELECT CAST(file_row_number AS DOUBLE) AS place_in_file, ${[...cuts, ...others, ...counts].join(', ')}
     FROM ${parquetRangeSql({ path: opened.path, ...window })} AND file_row_number IN (${rowNumbers.join(', ')})`,
  );
  return found.map((row) => ({
    file,
    row: Number(row.place_in_file),
    record_id: row.record_id === null ? '' : unguarded(row.record_id),
    prompt: cutText(row, 'prompt'),
    answer: cutText(row, 'answer'),
    error_code: row.error_code === null ? null : unguarded(row.error_code),
    error_message: cutText(row, 'error_message'),
    stop_reason: row.stop_reason === null ? null : unguarded(row.stop_reason),
    input_tokens: row.input_tokens === null ? null : Number(row.input_tokens),
    output_tokens: row.output_tokens === null ? null : Number(row.output_tokens),
    attempts: Number(row.attempts ?? 0),
  }));
}

function cutText(row: Record<string, unknown>, name: string): CutText | null {
  if (row[name] === null) return null;
  const text = unguarded(row[name]);
  return { text, cut: Math.max(0, Number(row[`${name}_length`]) - [...text].length) };
}
