import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { linesOf } from '../src/core/text/lines.ts';
import { openDuckDb, sqlText } from '../src/rows/duckdb/duckdb.ts';

/** Throws unless both lists of JSONL files have the same records, in the same order; spaces in the JSON do not matter. */
export async function compareRecords(ours: readonly string[], others: readonly string[]): Promise<void> {
  if ((await digestOf(ours)) !== (await digestOf(others))) {
    throw new Error(`The records of ${ours[0]} are not those of ${others[0]}.`);
  }
}

async function digestOf(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) {
    for await (const line of linesOf(createReadStream(path)))
      hash.update(JSON.stringify(JSON.parse(line.toString())));
  }
  return hash.digest('hex');
}

/** Throws unless both lists of Parquet files have the same rows and answers, whatever else they have. */
export async function compareResults(
  ours: readonly string[],
  others: readonly string[],
  scratchDirectory: string,
): Promise<void> {
  await using db = await openDuckDb({ memoryMb: 2_000, threads: 2, scratchDirectory });
  const rowsOf = (paths: readonly string[]) =>
    `SELECT CAST(id AS VARCHAR) AS id, "source", "rationale", "target", record_id, response, CAST(input_tokens AS BIGINT) AS tokens
      FROM read_parquet([${paths.map(sqlText).join(', ')}])`;
  const { different } = await db.row(`SELECT CAST(
      (SELECT count(*) FROM (${rowsOf(ours)} EXCEPT ALL ${rowsOf(others)})) +
      (SELECT count(*) FROM (${rowsOf(others)} EXCEPT ALL ${rowsOf(ours)})) AS DOUBLE) AS different`);
  if (Number(different) > 0)
    throw new Error(`${different} rows of ${ours[0]} are not those of ${others[0]}.`);
}
