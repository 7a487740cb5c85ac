import { LedgerMismatchError } from '../../core/errors.ts';
import type { RowWindow } from '../bytes/source-bytes.ts';
import { type DuckDb, openDuckDb, sqlName } from '../duckdb/duckdb.ts';
import { copyToParquet, parquetRangeSql, readParquetSql, readUnpackedBytes } from '../duckdb/parquet.ts';
import { makeRoomForColumns } from '../duckdb/wide-rows.ts';
import { readGivenColumns, renameColumns } from '../parquet/column-renaming.ts';
import { openResult, type ResultFile } from '../results/read-results.ts';
import type { ResultColumns } from '../results/result-columns.ts';
import { sideColumnsOf } from '../results/side-columns.ts';
import { MERGE_MEMORY_MB } from './merge-part.ts';

/** Rows of a variant's results, and where they begin among those that are joined. */
export interface JoinedPiece {
  file: ResultFile;
  window: RowWindow;
  at: number;
}

/** Results of several variants over the same rows. */
export interface JoinRequest {
  /** Results of the first variant: these rows, with all of the dataset's columns. */
  rowsPath: string;
  variants: readonly { name: string; columns: ResultColumns; pieces: readonly JoinedPiece[] }[];
  joinedPath: string;
  scratchDirectory: string;
}

/** Columns beside the user's own, while rows are joined. */
const PLACE = '__quarry_place';
const OWN_ID = '__quarry_own_id';

/**
 * Writes each row once, with what every variant made of it under names that end in the variant's. Throws LedgerMismatchError where a
 * variant lacks one of the rows, or has another in its place.
 */
export async function joinVariants(request: JoinRequest): Promise<void> {
  const { rowsPath, variants, joinedPath, scratchDirectory } = request;
  await using db = await openDuckDb({ memoryMb: MERGE_MEMORY_MB, threads: 2, scratchDirectory });
  const columns = await readGivenColumns(db, rowsPath);
  const { rows, bytes } = await readUnpackedBytes(db, rowsPath);
  const added = new Set(
    variants[0]?.columns.all.filter(({ from }) => from !== 'record_id').map(({ name }) => name),
  );
  const kept = columns.filter(({ given }) => !added.has(given));
  const sides = variants.map(({ name, columns: own }) => sideColumnsOf(own, name));
  const width = kept.length + sides.reduce((sum, { length }) => sum + length, 0);
  await makeRoomForColumns(db, width, MERGE_MEMORY_MB);
  for (const [index, { pieces }] of variants.entries()) {
    await readSide(db, { table: `side_${index}`, columns: sides[index] ?? [], pieces });
  }
  const selected = [
    ...kept.map(({ name }) => `rows.${sqlName(name)}`),
    ...sides.flatMap((side, index) => side.map(({ side: name }) => `side_${index}.${sqlName(name)}`)),
  ];
  const from = `(SELECT *, file_row_number AS ${PLACE} FROM ${readParquetSql(rowsPath)}) AS rows`;
  const joins = variants.map(
    (_, index) =>
      `JOIN side_${index} ON side_${index}.${PLACE} = rows.${PLACE} AND side_${index}.${OWN_ID} = CAST(rows.record_id AS VARCHAR)`,
  );
  const written = await copyToParquet(db, {
    sql: `SELECT ${selected.join(', ')} FROM ${from} ${joins.join(' ')} ORDER BY rows.${PLACE}`,
    path: joinedPath,
    compression: 'snappy',
    bytesPerRow: (bytes * variants.length) / Math.max(1, rows),
  });
  if (written !== rows) {
    throw new LedgerMismatchError(
      `The variants do not have the same rows: of ${rows} in ${rowsPath}, ${written} are in all of them.`,
    );
  }
  if (kept.some(({ name, given }) => name !== given)) {
    await renameColumns(joinedPath, [
      ...kept.map(({ given }) => given),
      ...sides.flat().map(({ side }) => side),
    ]);
  }
}

/** Reads what a variant made of the rows into a table, piece by piece; each is let go of before the next one is opened. */
async function readSide(
  db: DuckDb,
  {
    table,
    columns,
    pieces,
  }: { table: string; columns: ReturnType<typeof sideColumnsOf>; pieces: readonly JoinedPiece[] },
): Promise<void> {
  const typed = columns.map(({ side, type }) => `${sqlName(side)} ${type}`);
  await db.run(`CREATE TABLE ${table} (${[`${PLACE} BIGINT`, `${OWN_ID} VARCHAR`, ...typed].join(', ')})`);
  const read = columns.map(({ own }) => sqlName(own));
  for (const { file, window, at } of pieces) {
    await using opened = await openResult(file);
    await opened.fetchRows(['record_id', ...columns.map(({ own }) => own)], window);
    const place = `file_row_number - ${window.firstRow} + ${at}`;
    await db.run(
      `INSERT INTO ${table} SELECT ${[place, 'CAST(record_id AS VARCHAR)', ...read].join(', ')} FROM ${parquetRangeSql({ path: opened.path, ...window })}`,
    );
  }
}
