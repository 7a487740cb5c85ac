import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { FullRunResult, FullRunTask } from './full-run-worker.ts';
import type { Phase } from './phase-meter.ts';
import type { AnswerProof } from './prove-answers.ts';

/*
 * The article's run, from a dataset in the shape of simpleCoT to its answers, on this machine and in virtual time.
 * `--rows 220000,2200000,220000` runs one size after the other and compares what a row costs in the largest and in the
 * smallest. A machine whose memory comes from a host that takes it back charges more for memory that was not used of
 * late: the smaller size goes before and after.
 */

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '2200000' },
    jobs: { type: 'string', default: '100' },
    hours: { type: 'string', default: '9' },
    dir: { type: 'string', default: 'bench/.data/full-run' },
    keep: { type: 'boolean', default: false },
  },
});

const sizes = values.rows.split(',').map(Number);
const results: { rows: number; result: FullRunResult }[] = [];
for (const rows of sizes) results.push({ rows, result: await runSize(rows) });
const [fewest, most] = [Math.min(...sizes), Math.max(...sizes)];
if (fewest < most) compare(fewest, most);

async function runSize(rows: number): Promise<FullRunResult> {
  const directory = join(values.dir, String(rows));
  const task = { directory, rows, jobsInFlight: Number(values.jobs), hoursPer50000: Number(values.hours) };
  await rm(directory, { recursive: true, force: true });
  try {
    const made = performance.now();
    await work({ ...task, what: 'generate' });
    say(`\n${number(rows)} rows, made in ${seconds(performance.now() - made)}`);
    const result = await work<FullRunResult>({ ...task, what: 'run' });
    print(rows, result);
    const proof = await work<AnswerProof>({ ...task, what: 'prove' });
    const isProven = proof.expected === proof.actual && proof.rows === rows && result.succeeded === rows;
    say(`rows in ${number(proof.rows)}, answered ${number(result.succeeded)}`);
    say(`SHA-256 of record ids and answers, from the dataset: ${proof.expected}`);
    say(`SHA-256 of record ids and answers, in the output:    ${proof.actual}`);
    say(isProven ? 'PROVEN: every row has its own answer' : 'NOT PROVEN');
    if (!isProven) process.exitCode = 1;
    return result;
  } finally {
    if (!values.keep) await rm(directory, { recursive: true, force: true });
  }
}

/** Each piece of work is a process of its own, so that its memory is its own. */
async function work<T>(task: FullRunTask): Promise<T> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, 'full-run-worker.ts'), JSON.stringify(task)],
    { maxBuffer: 2 ** 26 },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

function print(rows: number, result: FullRunResult): void {
  const bytesOf: Record<string, number> = {
    Prepare: result.datasetBytes + result.recordBytes,
    'Run jobs': result.recordBytes + result.outputBytes,
  };
  say('phase          wall      CPU   system   peak MB     rows/s   MB/s');
  for (const { name, wallMs, cpuMs, systemMs, peakMb } of result.phases) {
    const bytes = bytesOf[name];
    say(
      [
        name.padEnd(10),
        seconds(wallMs).padStart(9),
        seconds(cpuMs).padStart(8),
        seconds(systemMs).padStart(8),
        peakMb.toFixed(0).padStart(9),
        number(rows / (wallMs / 1000)).padStart(10),
        (bytes === undefined ? '' : (bytes / 1e3 / wallMs).toFixed(0)).padStart(6),
      ].join(' '),
    );
  }
  const wallMs = wallOf(result);
  say(
    `whole run ${seconds(wallMs)}, peak ${result.peakMb.toFixed(0)} MB, ${number(rows / (wallMs / 1000))} rows/s, ${(wallMs / rows).toFixed(3)} ms per row`,
  );
  say(
    `dataset ${megabytes(result.datasetBytes)}, JSONL ${megabytes(result.recordBytes)}, output ${megabytes(result.outputBytes)}`,
  );
  say(
    `virtual: ${result.parts} balanced parts in ${result.virtualHours.toFixed(1)} h (on paper ${result.scheduledHours.toFixed(1)} h); ${result.fullParts} full parts would take ${result.fullPartsHours.toFixed(1)} h on paper`,
  );
}

function compare(fewest: number, most: number): void {
  const meanOf = (rows: number, value: (result: FullRunResult) => number) => {
    const values = results.filter((run) => run.rows === rows).map(({ result }) => value(result));
    return values.reduce((sum, one) => sum + one, 0) / values.length;
  };
  const times = (value: (result: FullRunResult) => number) => meanOf(most, value) / meanOf(fewest, value);
  const scale = most / fewest;
  const sumOf =
    (value: (phase: Phase) => number) =>
    ({ phases }: FullRunResult) =>
      phases.reduce((sum, phase) => sum + value(phase), 0);
  const programOf = sumOf(({ cpuMs, systemMs }) => cpuMs - systemMs);
  say(`\n${number(most)} rows against ${number(fewest)}${sizes.length > 2 ? ' (means)' : ''}:`);
  say(`wall per row × ${(times(wallOf) / scale).toFixed(2)}`);
  say(`CPU per row  × ${(times(sumOf(({ cpuMs }) => cpuMs)) / scale).toFixed(2)}`);
  say(`  the system's × ${(times(sumOf(({ systemMs }) => systemMs)) / scale).toFixed(2)}`);
  say(`  the program's × ${(times(programOf) / scale).toFixed(2)}`);
  say(`peak memory  × ${times(({ peakMb }) => peakMb).toFixed(2)}`);
}

function wallOf({ phases }: FullRunResult): number {
  return phases.reduce((sum, { wallMs }) => sum + wallMs, 0);
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function megabytes(bytes: number): string {
  return `${number(bytes / 1e6)} MB`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
