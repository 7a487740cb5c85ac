/** Compares two folders of results, in a process that has nothing else: `node diff-task.ts quarry|join FOLDER_A FOLDER_B`. */
import { mkdtempDisposable, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareResults } from '../src/rows/compare/compare-results.ts';
import { openDuckDb } from '../src/rows/duckdb/duckdb.ts';
import { readParquetsSql } from '../src/rows/duckdb/parquet.ts';

/** What DuckDB may use, of either. */
const MEMORY_MB = 1_024;

const [task = '', folderA = '', folderB = ''] = process.argv.slice(2);
const filesOf = async (folder: string) => (await readdir(folder)).sort().map((name) => join(folder, name));
const [a, b] = [await filesOf(folderA), await filesOf(folderB)];
const started = performance.now();
await using scratch = await mkdtempDisposable(join(tmpdir(), 'quarry-bench-'));
const changed = task === 'join' ? await plainJoin() : await quarryDiff();
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({
    rows: changed,
    workSeconds: (performance.now() - started) / 1000,
    cpuSeconds: (user + system) / 1e6,
    peakMb: process.resourceUsage().maxRSS / 1024,
  }),
);

/** One join of the same files by the same ids, which tells how many answers are others and nothing else. */
async function plainJoin(): Promise<number> {
  await using db = await openDuckDb({ memoryMb: MEMORY_MB, threads: 2, scratchDirectory: scratch.path });
  const { changed: found } =
    await db.row(`SELECT CAST(count(*) FILTER (a.response <> b.response) AS DOUBLE) AS changed
    FROM ${readParquetsSql(a)} AS a JOIN ${readParquetsSql(b)} AS b USING (record_id)`);
  return Number(found);
}

async function quarryDiff(): Promise<number> {
  const found = await compareResults({
    a: { files: a, outputColumn: 'response' },
    b: { files: b, outputColumn: 'response' },
    key: { kind: 'record_id' },
    inputs: undefined,
    typed: ['mood', 'score', 'stars'],
    isEmbedding: false,
    directory: scratch.path,
  });
  return found.reworded ?? 0;
}
