import { execFile } from 'node:child_process';
import { mkdir, mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundleAll } from '../scripts/bundle.ts';
import { openDuckDb, sqlText } from '../src/rows/duckdb/duckdb.ts';
import { LOCAL_BUCKET } from '../src/targets/local/local-target.ts';
import { startS3Double } from '../test/support/s3-double.ts';
import { readStepPolicies, s3RefusalOf, withInputBucket } from '../test/support/step-policies.ts';
import { type Measured, measureProcess, medianOf } from './measured-process.ts';
import type { PlannedObjectsReport, SmallFilesReport } from './small-files-task.ts';

/** How a file of each format is written. */
const FORMATS = {
  parquet: 'FORMAT PARQUET',
  csv: 'FORMAT CSV',
  'csv.gz': 'FORMAT CSV, COMPRESSION GZIP',
  jsonl: 'FORMAT JSON',
} as const;
type Format = keyof typeof FORMATS;

/** The task is bundled as the package is: what a command does not use is not loaded. */
const BUNDLE = join(import.meta.dirname, '.data', 'small-files');
const SCRIPT = join(BUNDLE, 'small-files-task.js');
const DUCKDB_SCRIPT = join(import.meta.dirname, 'duckdb-read.ts');

/** How many files of how many rows, and how often each measurement is taken. */
export interface SmallFilesOptions {
  files: number;
  rowsPerFile: number;
  rounds: number;
  /** True: `quarry run` is measured too. */
  withRun: boolean;
  say: (line: string) => void;
}

/** Plans over small files of each format, beside DuckDB that reads every value of them. Throws where the rows are others. */
export async function measureSmallFiles(options: SmallFilesOptions): Promise<void> {
  const { files, rowsPerFile, rounds, withRun, say } = options;
  await bundleAll({ 'small-files-task': join(import.meta.dirname, 'small-files-task.ts') }, BUNDLE);
  await using directory = await mkdtempDisposable(join(tmpdir(), 'quarry-bench-'));
  say(`${files} files of ${rowsPerFile} rows, median of ${rounds}`);
  const tasks = ['plan', ...(withRun ? ['run'] : [])];
  for (const format of Object.keys(FORMATS) as Format[]) {
    const folder = join(directory.path, format);
    await writeFiles(folder, format, options);
    const measure = (...given: string[]) =>
      medianOf(rounds, async () => {
        const measured: Measured & Partial<SmallFilesReport> = measureProcess(process.execPath, given);
        if (measured.rows !== files * rowsPerFile)
          throw new Error(`${given.join(' ')}: ${measured.rows} rows.`);
        return measured;
      });
    const duckDb = await measure(DUCKDB_SCRIPT, format, folder);
    for (const task of tasks) {
      const quarry = await measure(SCRIPT, task, folder);
      say(
        `${`${task} ${format}`.padEnd(14)} ${quarry.seconds.toFixed(2)} s (CPU ${quarry.cpuSeconds.toFixed(2)} s)  ${Math.round(quarry.peakMb)} MB  ${(quarry.seconds / duckDb.seconds).toFixed(1)} x DuckDB (${duckDb.seconds.toFixed(2)} s, the statement alone ${duckDb.workSeconds.toFixed(2)} s)`,
      );
    }
  }
}

async function writeFiles(
  folder: string,
  format: Format,
  { files, rowsPerFile }: Pick<SmallFilesOptions, 'files' | 'rowsPerFile'>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await using db = await openDuckDb({ memoryMb: 512, threads: 1, scratchDirectory: folder });
  for (let file = 0; file < files; file++) {
    const path = join(folder, `part-${String(file).padStart(6, '0')}.${format}`);
    await db.run(
      `COPY (${rowsSql(file * rowsPerFile, rowsPerFile)}) TO ${sqlText(path)} (${FORMATS[format]})`,
    );
  }
}

function rowsSql(first: number, rows: number): string {
  return `SELECT range AS id, 'Review ' || range || ': arrived in two days, works as described, would buy again.' AS text, range % 5 AS stars FROM range(${first}, ${first + rows})`;
}

/** What a plan over objects took, and what it asked of S3. */
export interface ObjectsReport extends PlannedObjectsReport {
  listings: number;
  heads: number;
  gets: number;
  others: number;
  seconds: number;
}

/** Plans over an S3 prefix of as many objects of three rows, in a process of its own, and counts its requests. */
export async function planOverObjects(objects: number, format: 'parquet' | 'jsonl'): Promise<ObjectsReport> {
  await bundleAll({ 'small-files-task': join(import.meta.dirname, 'small-files-task.ts') }, BUNDLE);
  await using directory = await mkdtempDisposable(join(tmpdir(), 'quarry-bench-'));
  await writeFiles(directory.path, format, { files: 1, rowsPerFile: 3 });
  const bytes = await readFile(join(directory.path, `part-000000.${format}`));
  await using s3 = await startS3Double({ pageKeys: 1_000 });
  for (let index = 0; index < objects; index++) {
    s3.objects.set(`bucket/data/part-${String(index).padStart(7, '0')}.${format}`, bytes);
  }
  const counts = { listings: 0, heads: 0, gets: 0, others: 0 };
  const rights = withInputBucket(readStepPolicies(), 'bucket').plan;
  s3.fault = (request) => {
    const { method, path, query } = request;
    if (query.has('list-type')) counts.listings += 1;
    else if (method === 'GET') counts.gets += 1;
    else if (method === 'HEAD') counts.heads += 1;
    else counts.others += 1;
    s3.requests.length = 0;
    return s3RefusalOf(request, { rights, bucket: LOCAL_BUCKET, isThere: s3.objects.has(path) });
  };
  const started = performance.now();
  // Not by `measureProcess`: it waits in a way that lets nobody answer meanwhile.
  const { stdout } = await promisify(execFile)(process.execPath, [
    SCRIPT,
    'plan-objects',
    s3.url,
    's3://bucket/data/',
  ]);
  return { ...JSON.parse(stdout), ...counts, seconds: (performance.now() - started) / 1000 };
}
