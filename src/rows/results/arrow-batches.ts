import { columnFromArray, type Table, tableFromColumns, tableToIPC } from '@uwdata/flechette';
import { openDuckDb } from '../duckdb/duckdb.ts';
import { parquetRangeSql, readUnpackedBytes } from '../duckdb/parquet.ts';
import { createScratch } from '../duckdb/scratch.ts';
import { makeRoomForColumns } from '../duckdb/wide-rows.ts';
import { readGivenColumns } from '../parquet/column-renaming.ts';
import { type ArrowColumn, arrowColumnOf } from './arrow-columns.ts';
import { openResult, type ResultFile } from './read-results.ts';

const READ_MEMORY_MB = 512;
/** Most rows of a batch, and most bytes and values of its rows, as rows are on average. */
const BATCH = { rows: 10_000, bytes: 32_000_000, values: 1_000_000 };

/** The rows of result files, in order, in batches of Arrow: each a stream of Arrow's IPC format that has one batch. */
export async function* readArrowBatches(files: readonly ResultFile[]): AsyncGenerator<Uint8Array, void> {
  await using scratch = await createScratch();
  await using db = await openDuckDb({ memoryMb: READ_MEMORY_MB, threads: 2, scratchDirectory: scratch.path });
  for (const source of files) {
    await using file = await openResult(source);
    const { path } = file;
    const names = await readGivenColumns(db, path);
    const columns = names.map(({ given, ...column }) => ({ ...arrowColumnOf(column), name: given }));
    const { rows, bytes } = await readUnpackedBytes(db, path);
    await makeRoomForColumns(db, columns.length, READ_MEMORY_MB);
    const batchRows = batchRowsFor(bytes / Math.max(1, rows), columns.length);
    // Named by number, since a result's objects have one value of a name.
    const selected = columns.map(({ sql }, index) => `${sql} AS c${index}`).join(', ');
    for (let firstRow = 0; firstRow < rows; firstRow += batchRows) {
      const window = { firstRow, rows: batchRows };
      await file.fetchRows(
        names.map(({ given }) => given),
        window,
      );
      const found = await db.rows(
        `SELECT ${selected} FROM ${parquetRangeSql({ path, ...window })} ORDER BY file_row_number`,
      );
      yield toIpc(columns, found);
    }
  }
}

function batchRowsFor(bytesPerRow: number, columns: number): number {
  const most = Math.min(BATCH.rows, BATCH.bytes / Math.max(1, bytesPerRow), BATCH.values / columns);
  return Math.max(1, Math.floor(most));
}

function toIpc(columns: readonly ArrowColumn[], rows: readonly Record<string, unknown>[]): Uint8Array {
  const table: Table = tableFromColumns(
    columns.map(({ name, written, convert }, index) => {
      const values = rows.map((row) => row[`c${index}`] ?? null);
      return [
        name,
        columnFromArray(
          values.map((value) => (value === null ? null : convert(value))),
          written,
        ),
      ];
    }),
  );
  // The types that the bytes are of, in place of those that the writer can make them by.
  const fields = table.schema.fields.map((field, index) => ({
    ...field,
    type: columns[index]?.type ?? field.type,
  }));
  const typed = Object.create(table, { schema: { value: { ...table.schema, fields } } }) as Table;
  const bytes = tableToIPC(typed, { format: 'stream' });
  if (bytes === null) throw new Error('A batch was expected.');
  return bytes;
}
