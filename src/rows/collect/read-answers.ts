import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type DuckDb, isUnreadableContent, sqlPath, sqlText } from '../duckdb/duckdb.ts';
import { copyToParquet, readParquetSql, WORKING_ROW_GROUPS } from '../duckdb/parquet.ts';
import type { ResultColumns } from '../results/result-columns.ts';
import { noLinesSql, outputLinesSql, rewrittenLinesSql, UNEXPECTED_MODEL_OUTPUT } from './output-line.ts';
import { openPlainFiles } from './plain-file.ts';
import { rewriteOutput } from './rewrite-output.ts';
import { addChecked, type CheckedAnswers, typeAnswers } from './type-answers.ts';
import { createTypedReader } from './typed-answer.ts';

/** What a job answered, for as long as it is not disposed of. */
export interface Answers extends AsyncDisposable {
  /** A query: what each line says, and `line`, which numbers them through all files. */
  sql: string;
  /** Lines of the output files that are not blank. */
  lines: number;
  /** Of these, the ones that say nothing of a record. */
  unreadable: number;
  /** True where a file ends in the middle of a line or of its compression. */
  isCutOff: boolean;
  /** How answers fared against their schema; all zero where there is none. */
  typed: CheckedAnswers;
  /** Bytes of the texts, or how many numbers the embeddings have. */
  size: number;
}

/**
 * Reads a job's output files. What they say is kept as Parquet in the scratch directory: in memory, a join would hold it
 * a second time.
 */
export async function readAnswers(
  db: DuckDb,
  {
    outputPaths,
    columns,
    rows,
    scratchDirectory,
  }: { outputPaths: readonly string[]; columns: ResultColumns; rows: number; scratchDirectory: string },
): Promise<Answers> {
  const paths: string[] = [];
  await using plain = await openPlainFiles(outputPaths, scratchDirectory);
  const sizes = await Promise.all(plain.files.map(({ path }) => stat(path)));
  // Of the whole lines: what is read of them is smaller.
  const bytesPerRow = sizes.reduce((sum, { size }) => sum + size, 0) / Math.max(1, rows);
  const removeFiles = async () => {
    await Promise.all(paths.map((path) => rm(path, { force: true })));
  };
  const selects = [`SELECT *, CAST(NULL AS BIGINT) AS line FROM (${noLinesSql(columns)})`];
  const readTyped = columns.schema && (await createTypedReader(columns.schema));
  let [read, unreadable, isCutOff] = [0, 0, false];
  const typed: CheckedAnswers = { checked: 0, mended: 0, violations: new Map() };
  try {
    for (const [index, { path: outputPath, isWhole }] of plain.files.entries()) {
      const path = join(scratchDirectory, `answers-${index}.parquet`);
      paths.push(path);
      const copied = await copyAnswers(db, { outputPath, path, columns, bytesPerRow, scratchDirectory });
      if (readTyped !== undefined) {
        addChecked(typed, await typeAnswers(db, { path, columns, readTyped, bytesPerRow, scratchDirectory }));
      }
      selects.push(`SELECT *, file_row_number + ${read} AS line FROM ${readParquetSql(path)}`);
      read += copied.lines;
      unreadable += copied.unreadable;
      isCutOff ||= copied.isCutOff || !isWhole;
    }
    const sql = selects.join(' UNION ALL ');
    const size = hasNumbers(columns) ? await countNumbers(db, paths) : await countBytes(db, sql);
    return {
      sql,
      lines: read + unreadable,
      unreadable,
      isCutOff,
      typed,
      size,
      [Symbol.asyncDispose]: removeFiles,
    };
  } catch (error) {
    await removeFiles();
    throw error;
  }
}

/** True where answers are lists of numbers, whose cost is in how many those are. */
export function hasNumbers({ answer }: ResultColumns): boolean {
  return answer.type.endsWith('[]');
}

async function countBytes(db: DuckDb, answersSql: string): Promise<number> {
  const { bytes } = await db.row(
    `SELECT CAST(coalesce(sum(strlen(answer)), 0) AS DOUBLE) AS bytes FROM (${answersSql})`,
  );
  return Number(bytes);
}

/** By the footers: to read the numbers themselves takes long. */
async function countNumbers(db: DuckDb, paths: readonly string[]): Promise<number> {
  if (paths.length === 0) return 0;
  const { numbers } = await db.row(`SELECT CAST(coalesce(sum(num_values), 0) AS DOUBLE) AS numbers
    FROM parquet_metadata([${paths.map(sqlPath).join(', ')}]) WHERE path_in_schema LIKE 'answer,%'`);
  return Number(numbers);
}

interface AnswersCopy {
  outputPath: string;
  path: string;
  columns: ResultColumns;
  bytesPerRow: number;
  scratchDirectory: string;
}

async function copyAnswers(
  db: DuckDb,
  copy: AnswersCopy,
): Promise<{ lines: number; unreadable: number; isCutOff: boolean }> {
  const { outputPath, path, columns, scratchDirectory } = copy;
  try {
    const lines = await writeAnswers(db, outputLinesSql(outputPath, columns), copy);
    // A row quotes the output of an unknown shape, of which DuckDB has read what was looked for only.
    if (!(await hasUnexpected(db, path))) return { lines, unreadable: 0, isCutOff: false };
  } catch (error) {
    // A lone surrogate, a truncated line, a value of another type: DuckDB gives the whole file up.
    if (!isUnreadableContent(error)) throw error;
  }
  const rewritten = join(scratchDirectory, 'rewritten.jsonl');
  const { unreadable, isCutOff, longestBytes } = await rewriteOutput(outputPath, rewritten, columns);
  const lines = await writeAnswers(db, rewrittenLinesSql(rewritten, columns, longestBytes), copy);
  await rm(rewritten, { force: true });
  return { lines, unreadable, isCutOff };
}

function writeAnswers(db: DuckDb, sql: string, { path, bytesPerRow }: AnswersCopy): Promise<number> {
  return copyToParquet(db, {
    sql,
    path,
    compression: 'uncompressed',
    bytesPerRow,
    rowGroups: WORKING_ROW_GROUPS,
  });
}

async function hasUnexpected(db: DuckDb, path: string): Promise<boolean> {
  const { unexpected } = await db.row(
    `SELECT CAST(count(*) FILTER (error_code = ${sqlText(UNEXPECTED_MODEL_OUTPUT)}) AS DOUBLE) AS unexpected FROM ${readParquetSql(path)}`,
  );
  return Number(unexpected) > 0;
}
