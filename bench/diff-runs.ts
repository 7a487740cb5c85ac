/** Compares two runs, beside one plain join of the same files: `node bench/diff-runs.ts [ROWS]`. */
import { mkdir, mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDuckDb, sqlText } from '../src/rows/duckdb/duckdb.ts';
import { type Measured, measureProcess } from './measured-process.ts';

const ROWS = Number(process.argv[2] ?? 1_000_000);
/** Rows of a result file, as Quarry's parts have them. */
const FILE_ROWS = 100_000;
/** One row in so many has another answer in the second run. */
const CHANGED_EVERY = 50;
const SCRIPT = join(import.meta.dirname, 'diff-task.ts');

await using directory = await mkdtempDisposable(join(tmpdir(), 'quarry-bench-'));
const folders = [join(directory.path, 'a'), join(directory.path, 'b')] as const;
for (const [index, folder] of folders.entries()) await writeResults(folder, index === 1);
const [a, b] = folders;
const measure = (task: string): Measured & { rows?: number } =>
  measureProcess(process.execPath, [SCRIPT, task, a, b]);
const [plain, quarry] = [measure('join'), measure('quarry')];
const expected = Math.ceil(ROWS / CHANGED_EVERY);
for (const { rows } of [plain, quarry])
  if (rows !== expected) throw new Error(`${rows} rows differ, not ${expected}.`);
console.log(
  `diff of ${ROWS.toLocaleString('en-US')} rows with themselves but for ${expected.toLocaleString('en-US')}: ${quarry.seconds.toFixed(1)} s (CPU ${quarry.cpuSeconds.toFixed(1)} s), ${Math.round(quarry.peakMb)} MB; ` +
    `one plain join ${plain.seconds.toFixed(1)} s (CPU ${plain.cpuSeconds.toFixed(1)} s), ${Math.round(plain.peakMb)} MB: ${(quarry.seconds / plain.seconds).toFixed(1)} x, CPU ${(quarry.cpuSeconds / plain.cpuSeconds).toFixed(1)} x`,
);

async function writeResults(folder: string, isSecond: boolean): Promise<void> {
  await mkdir(folder);
  await using db = await openDuckDb({ memoryMb: 1_024, threads: 2, scratchDirectory: folder });
  for (let first = 0; first < ROWS; first += FILE_ROWS) {
    const path = join(folder, `p${String(first / FILE_ROWS).padStart(5, '0')}.parquet`);
    const sql = rowsSql(first, Math.min(ROWS, first + FILE_ROWS), isSecond);
    await db.run(
      `COPY (${sql}) TO ${sqlText(path)} (FORMAT PARQUET, COMPRESSION snappy, ROW_GROUP_SIZE 10240)`,
    );
  }
}

function rowsSql(from: number, to: number, isSecond: boolean): string {
  const changes = isSecond ? `i % ${CHANGED_EVERY} = 0` : 'false';
  const mood = `CASE (hash(i) % 3)::INT WHEN 0 THEN 'good' WHEN 1 THEN 'bad' ELSE 'mixed' END`;
  return `SELECT i AS id, 'Review ' || i || ': arrived in two days, works as described, would buy again. ' || md5(i::VARCHAR) AS text,
      CASE WHEN ${changes} THEN 'mixed' ELSE ${mood} END AS mood, (hash(i + 1) % 1000)::DOUBLE / 1000 AS score, CAST(hash(i + 2) % 5 AS BIGINT) AS stars,
      CASE WHEN ${changes} THEN 'Another answer ' ELSE 'The answer ' END || md5((i + 7)::VARCHAR) AS response,
      format('r{:010d}', i) AS record_id, CASE WHEN i % 1000 = 999 THEN '400' END AS error_code, CAST(NULL AS VARCHAR) AS error_message,
      'end_turn' AS stop_reason, 40 + hash(i) % 20 AS input_tokens, 10 + hash(i + 3) % 30 AS output_tokens, 1 AS attempts
    FROM range(${from}, ${to}) AS numbers(i)`;
}
