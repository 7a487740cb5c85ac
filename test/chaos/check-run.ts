import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRetryableCode } from '../../src/core/retry-policy.ts';
import { RunSummary } from '../../src/core/summary.ts';
import { readResults } from '../../src/dataset/read-results.ts';
import { simulatedAnswer } from '../../src/emulator/models/simulated-model.ts';
import { LOCAL_BUCKET } from '../../src/local/local-target.ts';
import type { LocalRunResult } from '../../src/local/run-locally.ts';
import { localPathOf } from '../../src/store/directory-store.ts';
import { type EmulatedTarget, MODEL } from '../support/emulated-run.ts';
import type { Scenario } from './scenario.ts';

/** A scenario that has come to its end. */
export interface FinishedRun {
  scenario: Scenario;
  directory: string;
  emulated: EmulatedTarget;
  result: LocalRunResult;
}

/** What a record can end in: its answer, as the emulator may have deformed it. */
const ANSWER_ENDINGS = ['', '\u2028\u0085\u0000', '\ufffd'];

/** Checks every promise that Quarry makes of a run; throws with what is broken. */
export async function checkRun(run: FinishedRun): Promise<void> {
  const { scenario, directory } = run;
  const summary = await readSummary(run);
  const paths = summary.output_uris.map((uri) => localPathOf(directory, uri as `s3://${string}`));
  const rows = await Array.fromAsync(readResults(paths, {}));
  checkRows(rows, scenario);
  checkLedger(rows, summary);
  checkNothingForgotten(rows, summary, scenario);
  await checkNothingTwice(rows, run);
}

async function readSummary({ directory }: FinishedRun): Promise<RunSummary> {
  const text = await readFile(join(runFolder(directory), 'summary.json'), 'utf8');
  return RunSummary.parse(JSON.parse(text));
}

type Row = Record<string, unknown>;

/** Rows out are rows in, in their order, and each answer belongs to its row. */
function checkRows(rows: readonly Row[], { rows: count }: Scenario): void {
  expectEqual(rows.length, count, 'rows out');
  for (const [index, { name, response, record_id, error_code, attempts }] of rows.entries()) {
    expectEqual(name, `row ${index}`, `the name of row ${index}`);
    if (typeof attempts !== 'number') fail(`Row ${index} has no attempts.`);
    if ((response === null) === (error_code === null)) {
      fail(`Row ${index} (${record_id}) has response ${response} and error code ${error_code}.`);
    }
    if (response === null) continue;
    const answer = simulatedAnswer(MODEL, `Say row ${index}`);
    if (!ANSWER_ENDINGS.some((ending) => response === answer + ending)) {
      fail(`Row ${index} has another row's answer: ${JSON.stringify(response)}`);
    }
  }
}

/** The summary says what the rows say. */
function checkLedger(rows: readonly Row[], summary: RunSummary): void {
  const succeeded = rows.filter(({ response }) => response !== null).length;
  const notSent = rows.filter(({ response, attempts }) => response === null && attempts === 0).length;
  expectEqual(
    summary.rows,
    { total: rows.length, succeeded, failed: rows.length - succeeded - notSent, not_sent: notSent },
    'the ledger',
  );
  const reasons = Object.entries(Object.groupBy(rows, ({ error_code }) => String(error_code)))
    .filter(([code]) => code !== 'null')
    .map(([code, group]) => [code, group?.length]);
  const said = summary.reasons.map(({ error_code, rows: count }) => [error_code, count]);
  expectEqual(new Map(said as []), new Map(reasons as []), 'the reasons');
  const attempts = summary.attempts.reduce((sum, counts) => sum + counts.rows, 0);
  expectEqual(attempts, rows.length, 'the rows by attempts');
  expectEqual(summary.status === 'succeeded', succeeded === rows.length, 'that the run succeeded');
}

/** A row without an answer has had its attempts, or an error that no attempt would mend, or the run was stopped. */
function checkNothingForgotten(rows: readonly Row[], { stop }: RunSummary, { keys }: Scenario): void {
  for (const { name, response, error_code, attempts } of rows) {
    if (Number(attempts) > keys.max_attempts) fail(`${name} took ${attempts} attempts.`);
    if (response !== null || stop !== null || !isRetryableCode(String(error_code))) continue;
    if (Number(attempts) < keys.max_attempts) {
      fail(`${name} was given up after ${attempts} attempts with ${error_code}.`);
    }
  }
}

/** No record was sent more often than allowed, and none was sent again that had been answered. */
async function checkNothingTwice(
  rows: readonly Row[],
  { scenario, directory, emulated }: FinishedRun,
): Promise<void> {
  const sent = new Map<string, number>();
  const answered = new Map<string, number>();
  const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
  const folder = join(workFolder(directory), 'model-output');
  const { tracked, jobs } = await emulated.emulator.usage();
  const jobParts = new Set(jobs.map(({ jobName }) => partOf(jobName)));
  expectEqual(new Set(jobs.map(({ jobName }) => jobName)).size, jobs.length, 'jobs by their names');
  for (const part of new Set([...jobParts, ...(await foldersIn(folder))])) {
    const input = join(workFolder(directory), 'parts', part, 'records.jsonl');
    // On demand, a call that was refused has sent nothing: only what was answered, well or badly, counts.
    const records = jobParts.has(part) ? await readLines(input) : await outputLines(join(folder, part));
    for (const { recordId } of records) count(sent, recordId);
    for (const recordId of await answeredIn(join(folder, part))) count(answered, recordId);
  }
  for (const [recordId, times] of sent) {
    if (times > scenario.keys.max_attempts) fail(`${recordId} was sent ${times} times.`);
  }
  for (const [recordId, times] of answered) {
    if (times > 1) fail(`${recordId} was answered ${times} times.`);
  }
  const readable = rows.filter(({ response }) => response !== null).length;
  expectEqual(answered.size, readable, 'records with an answer in the output of jobs');
  const extra = (tracked?.bodiesAnsweredMoreThanOnce ?? []).reduce((sum, { times }) => sum + times - 1, 0);
  if (extra > paidTwiceByNature(scenario)) {
    fail(`Paid twice for: ${JSON.stringify(tracked?.bodiesAnsweredMoreThanOnce)}`);
  }
}

/** Answers that Bedrock gave and nobody could read; the record is owed, and paid for again. */
function paidTwiceByNature({ faults }: Scenario): number {
  let most = 0;
  for (const { fault, times = 1 } of faults) {
    if (fault.kind === 'invoke-response-lost') most += times;
    if (fault.kind === 'corrupt-lines' && fault.how !== 'lone-surrogate') most = Number.POSITIVE_INFINITY;
    // The job answered, but its output was thrown away.
    if (fault.kind === 'job-ended' && fault.keepsOutput === false) most = Number.POSITIVE_INFINITY;
  }
  return most;
}

/** Ids of the records that have an answer in a part's output; a record that has it twice in one job has one. */
async function answeredIn(folder: string): Promise<Set<string>> {
  const found = new Set<string>();
  for (const { recordId, modelOutput } of await outputLines(folder)) {
    const isAnswer = modelOutput !== null && modelOutput !== undefined && Object.keys(modelOutput).length > 0;
    if (isAnswer) found.add(recordId);
  }
  return found;
}

interface OutputLine {
  recordId: string;
  modelOutput?: object | null;
}

async function outputLines(folder: string): Promise<OutputLine[]> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  const files = entries.filter((name) => name.endsWith('.jsonl.out'));
  return (await Promise.all(files.map((name) => readLines(join(folder, name))))).flat();
}

async function readLines(path: string): Promise<OutputLine[]> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}

async function foldersIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

function partOf(jobName: string): string {
  return jobName.slice(jobName.lastIndexOf('-') + 1);
}

function runFolder(directory: string): string {
  return join(directory, LOCAL_BUCKET, 'runs', 'emulated');
}

function workFolder(directory: string): string {
  return join(directory, LOCAL_BUCKET, 'work', 'emulated');
}

/** Everything that a second run under the same id must leave as it is. */
export async function snapshot({ directory, emulated }: FinishedRun): Promise<Record<string, string>> {
  const hashes: Record<string, string> = { usage: JSON.stringify(await emulated.emulator.usage()) };
  for (const folder of [runFolder(directory), workFolder(directory)]) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || path.includes('map-results')) continue;
      hashes[path] = createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
    }
  }
  return hashes;
}

/** Throws where something changed. */
export function checkUnchanged(before: Record<string, string>, after: Record<string, string>): void {
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (before[key] !== after[key]) fail(`A second run under the same id changed ${key}.`);
  }
}

function expectEqual(actual: unknown, expected: unknown, what: string): void {
  const text = (value: unknown) => JSON.stringify(value instanceof Map ? [...value].sort() : value);
  if (text(actual) !== text(expected)) fail(`${what}: ${text(actual)}, not ${text(expected)}.`);
}

function fail(message: string): never {
  throw new Error(message);
}
