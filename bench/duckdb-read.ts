/** Reads every value of a folder's files by one statement of DuckDB, in a process that has nothing else: `node duckdb-read.ts FORMAT FOLDER`. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

const readCsv = (paths: string) =>
  `read_csv(${paths}, auto_detect = false, header = true, delim = ',', quote = '"', escape = '"', columns = {id: 'VARCHAR', text: 'VARCHAR', stars: 'VARCHAR'})`;

/** The reader of each format, told what it would have to guess of each file otherwise. */
const READERS: Readonly<Record<string, (paths: string) => string>> = {
  parquet: (paths) => `read_parquet(${paths})`,
  csv: readCsv,
  'csv.gz': readCsv,
  jsonl: (paths) =>
    `read_json(${paths}, format = 'newline_delimited', columns = {id: 'BIGINT', text: 'VARCHAR', stars: 'BIGINT'})`,
};

const [format = '', folder = ''] = process.argv.slice(2);
const started = performance.now();
const names = (await readdir(folder)).sort();
const paths = `[${names.map((name) => `'${join(folder, name)}'`).join(', ')}]`;
const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
const connection = await instance.connect();
const read = await connection.runAndReadAll(
  `SELECT CAST(count(*) AS INTEGER) AS "rows", sum(hash(id, text, stars)) AS digest FROM ${READERS[format]?.(paths)}`,
);
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({
    rows: read.getRowObjectsJson()[0]?.rows,
    workSeconds: (performance.now() - started) / 1000,
    cpuSeconds: (user + system) / 1e6,
    peakMb: process.resourceUsage().maxRSS / 1024,
  }),
);
