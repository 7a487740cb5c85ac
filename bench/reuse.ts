import { execFile } from 'node:child_process';
import { mkdir, mkdtempDisposable, readdir, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { bundle } from '../scripts/bundle.ts';
import { systemClock } from '../src/core/clock.ts';
import { PROOF_SQL } from '../src/rows/answers/answer-file.ts';
import { openDuckDb, sqlText } from '../src/rows/duckdb/duckdb.ts';
import { REQUEST_HASH_COLUMN, requestHashSql } from '../src/rows/prepare/record-sql.ts';
import { answersFolderUri } from '../src/runs/answers-layout.ts';
import { askedOf, folderOf } from '../src/steps/answers/asked.ts';
import { modelCallOf } from '../src/steps/plan/model-call.ts';
import { localPathOf } from '../src/store/directory-store.ts';
import { LOCAL_BUCKET, localPlanDeps } from '../src/targets/local/local-target.ts';
import { startS3Double } from '../test/support/s3-double.ts';
import { type Measured, measureProcess, medianOf } from './measured-process.ts';
import { ASKED, type ReuseReport } from './reuse-task.ts';

const SCRIPT = join(import.meta.dirname, '.data', 'reuse-task.mjs');
/** Answers of one file: a part's. */
const ANSWERS_PER_FILE = 100_000;
/** Of ten rows of the dataset, those that have been asked before. */
const REUSED_OF_TEN = 9;

/**
 * Plans the rows with `dedupe`, and with `reuse` beside so many kept answers, of which nine tenths of the rows have theirs; then
 * counts, of a store in S3, what the plan asks of it.
 */
async function measureReuse(rows: number, answers: number, rounds: number): Promise<void> {
  await bundle(join(import.meta.dirname, 'reuse-task.ts'), SCRIPT);
  await using directory = await mkdtempDisposable(join(tmpdir(), 'quarry-bench-'));
  const uri = `s3://${LOCAL_BUCKET}/datasets/rows.parquet` as const;
  await writeStore(directory.path, localPathOf(directory.path, uri), { rows, answers });
  const plan = (key: string) =>
    medianOf(rounds, async () => {
      const measured: Measured & Partial<ReuseReport> = measureProcess(process.execPath, [
        SCRIPT,
        key,
        directory.path,
        uri,
      ]);
      const expected = key === 'reuse' ? Math.floor((rows * REUSED_OF_TEN) / 10) : 0;
      if (measured.reused !== expected)
        throw new Error(`${measured.reused} rows are reused, not ${expected}.`);
      return measured;
    });
  console.log(`${rows} rows, ${answers} kept answers, median of ${rounds}`);
  const [dedupe, reuse] = [await plan('dedupe'), await plan('reuse')];
  const told = ({ seconds, cpuSeconds, peakMb }: Measured) =>
    `${seconds.toFixed(2)} s (CPU ${cpuSeconds.toFixed(2)} s)  ${Math.round(peakMb)} MB`;
  console.log(`plan with dedupe  ${told(dedupe)}`);
  console.log(
    `plan with reuse   ${told(reuse)}  ${(reuse.seconds / dedupe.seconds).toFixed(2)} x dedupe (CPU ${(reuse.cpuSeconds / dedupe.cpuSeconds).toFixed(2)} x)`,
  );
}

/** How many requests of each kind, and how many bytes, a plan with `reuse` takes of S3. */
async function countRequests(rows: number, answers: number): Promise<void> {
  await bundle(join(import.meta.dirname, 'reuse-task.ts'), SCRIPT);
  await using directory = await mkdtempDisposable(join(tmpdir(), 'quarry-bench-'));
  const uri = `s3://${LOCAL_BUCKET}/datasets/rows.parquet` as const;
  await writeStore(directory.path, localPathOf(directory.path, uri), { rows, answers });
  await using s3 = await startS3Double({ pageKeys: 1_000 });
  let bytes = 0;
  for (const name of await readdir(directory.path, { recursive: true })) {
    const path = join(directory.path, name);
    if (!(await stat(path)).isFile() || !name.endsWith('.parquet')) continue;
    s3.objects.set(relative(directory.path, path), await readFile(path));
    bytes += (await stat(path)).size;
  }
  const counts: Record<string, number> = {};
  s3.fault = ({ method, path }) => {
    const kind = `${method} ${path.includes('/answers/') ? 'answers' : path.includes('/datasets/') ? 'dataset' : 'other'}`;
    counts[kind] = (counts[kind] ?? 0) + 1;
    s3.requests.length = 0;
    return undefined;
  };
  const given = [SCRIPT, 'reuse', directory.path, uri, s3.url];
  const { stdout } = await promisify(execFile)(process.execPath, given);
  const { reused } = JSON.parse(stdout) as ReuseReport;
  const files = Math.ceil(answers / ANSWERS_PER_FILE);
  console.log(
    `S3: ${rows} rows, ${reused} of them reused, ${answers} answers in ${files} files, ${(bytes / 1e6).toFixed(0)} MB: ${JSON.stringify(counts)}`,
  );
}

/** A dataset, and answers: those of its first rows, and others that nobody asks for. */
async function writeStore(
  directory: string,
  path: string,
  { rows, answers }: { rows: number; answers: number },
): Promise<void> {
  const deps = localPlanDeps({ directory, clock: systemClock, version: '0.0.0' });
  const call = modelCallOf({ ...ASKED });
  const model = {
    model_id: ASKED.model_id,
    base_model_id: call.pricedId,
    family: call.adapter.family,
    invocation_type: call.adapter.invocationType,
  };
  const asked = askedOf({ model }, deps.settings);
  const folder = localPathOf(directory, answersFolderUri(LOCAL_BUCKET, folderOf(asked, deps)));
  await mkdir(folder, { recursive: true });
  await mkdir(dirname(path), { recursive: true });
  const textOf = (row: string) =>
    `'Review ' || ${row} || ': ' || repeat('arrived in two days, works as described, would buy again. ', 9)`;
  await using db = await openDuckDb({ memoryMb: 2048, threads: 2, scratchDirectory: directory });
  await db.run(
    `COPY (SELECT range AS id, ${textOf('range')} AS text FROM range(${rows})) TO ${sqlText(path)} (FORMAT PARQUET)`,
  );
  const shared = Math.floor((rows * REUSED_OF_TEN) / 10);
  const columns = [{ name: 'text', type: 'VARCHAR' }];
  for (let first = 0, file = 0; first < answers; first += ANSWERS_PER_FILE, file += 1) {
    const count = Math.min(ANSWERS_PER_FILE, answers - first);
    // What is not of the dataset asks of rows beyond its end.
    const number = `CASE WHEN range < ${shared} THEN range ELSE range + ${rows} END`;
    const from = `(SELECT range AS place, ${textOf(`(${number})`)} AS text FROM range(${first}, ${first + count}))`;
    const kept = requestHashSql({ frame: call.frame, asked, columns }, { from, kept: ['place'] });
    const answer = `'It is a good review, number ' || place || ': ' || repeat('the writer is pleased. ', 12)`;
    await db.run(`COPY (SELECT *, ${PROOF_SQL} AS proof FROM (
        SELECT ${REQUEST_HASH_COLUMN} AS key, format('r{:010d}', place) AS record_id, ${answer} AS answer, 'end_turn' AS stop_reason,
          CAST(150 AS BIGINT) AS input_tokens, CAST(80 AS BIGINT) AS output_tokens, 'run-${file % 7}' AS run_id, '2026-11-28T00:00:00.000Z' AS answered_at
        FROM (${kept}) ORDER BY place
      )) TO ${sqlText(join(folder, `run.${String(file).padStart(5, '0')}.parquet`))} (FORMAT PARQUET, ROW_GROUP_SIZE 10240)`);
  }
}

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '220000' },
    answers: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    s3: { type: 'boolean', default: false },
  },
});
const [rows, answers, rounds] = [values.rows, values.answers, values.rounds].map(Number) as [
  number,
  number,
  number,
];
if (values.s3) await countRequests(rows, answers);
else await measureReuse(rows, answers, rounds);
