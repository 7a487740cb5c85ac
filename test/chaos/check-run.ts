import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRetryableCode, SCHEMA_VIOLATION, TRUNCATED_ANSWER } from '../../src/core/jobs/retry-policy.ts';
import { RunSummary } from '../../src/core/run/summary.ts';
import { answerSchemaOf, schemaInstruction } from '../../src/core/run-input/output-schema.ts';
import { hash32 } from '../../src/emulator/faults/seeded-random.ts';
import { simulatedObject } from '../../src/emulator/models/simulated-object.ts';
import { batchPriceOf, costUsd } from '../../src/models/catalog/prices.ts';
import { readResults } from '../../src/rows/results/read-results.ts';
import { localPathOf } from '../../src/store/directory-store.ts';
import { LOCAL_BUCKET } from '../../src/targets/local/local-target.ts';
import { MODEL } from '../support/emulated-run.ts';
import type { FinishedRun } from './run-scenario.ts';
import { FORMER_RUN_ID, type Scenario } from './scenario.ts';
import { type AskedOf, answerOf, askedOf, type DatasetRow, rowsOf } from './scenario-dataset.ts';

/** What a record can end in: its answer, as the emulator may have deformed it. */
const ANSWER_ENDINGS = ['', '\u2028\u0085\u0000', '\ufffd'];

const PRICE = batchPriceOf(MODEL) ?? { input: 0, output: 0 };

/** A row of the output. */
export type OutputRow = Record<string, unknown>;

/** Checks every promise that Quarry makes of a run; throws with what is broken. */
export async function checkRun(run: FinishedRun): Promise<void> {
  await run.outputs.tidy();
  const { scenario } = run;
  const summary = await readSummary(run);
  const rows = await readRows(run);
  checkRows(rows, scenario);
  checkLedger(rows, summary, scenario);
  checkNothingForgotten(rows, summary, scenario);
  checkReused(rows, run);
  await checkNothingTwice(rows, run);
}

/** The rows of a run's output. */
export async function readRows(run: FinishedRun): Promise<OutputRow[]> {
  const { output_uris } = await readSummary(run);
  const paths = output_uris.map((uri) => localPathOf(run.directory, uri as `s3://${string}`));
  return Array.fromAsync(readResults(paths, {}));
}

/** What a former run has kept for certain is taken from it; nothing else is, and nothing at all without being asked for. */
function checkReused(rows: readonly OutputRow[], { scenario, keptRows }: FinishedRun): void {
  const asked = rowsOf(scenario).map((row) => JSON.stringify(askedOf(row)));
  const kept = new Set([...keptRows].map((n) => asked[n]));
  for (const [index, { name, attempts, reused_from = null }] of rows.entries()) {
    if (kept.has(asked[index])) {
      expectEqual([reused_from, attempts], [FORMER_RUN_ID, 0], `where the answer of ${name} is from`);
    }
    if (reused_from === null) continue;
    if (scenario.keys.reuse !== true || scenario.former === undefined)
      fail(`${name} has an answer of nobody.`);
    expectEqual([reused_from, attempts], [FORMER_RUN_ID, 0], `where the answer of ${name} is from`);
  }
}

/** Throws where a cancelled run's harvest is not in the run that was taken up again. */
export async function checkHarvestKept(harvest: readonly OutputRow[], run: FinishedRun): Promise<void> {
  const { keys } = run.scenario;
  for (const [index, row] of (await readRows(run)).entries()) {
    const before = harvest[index];
    if (Number(row.attempts) < Number(before?.attempts)) fail(`Row ${index} has lost an attempt.`);
    // An answer that was cut off is asked for again where that is wanted.
    if (before?.error_code !== null || keys.retry_truncated === true) continue;
    expectEqual(
      [row.response, row.attempts],
      [before?.response, before?.attempts],
      `the harvest of row ${index}`,
    );
  }
}

/** Throws where a run that was refused has sent anything. */
export async function checkNothingSent({ emulator, scenario }: FinishedRun): Promise<void> {
  if (scenario.hasNeighbour || scenario.former !== undefined) return;
  const { jobs, onDemand } = await emulator.usage();
  expectEqual([jobs.length, onDemand.calls], [0, 0], 'jobs and calls of a run that was refused');
}

async function readSummary({ directory }: FinishedRun): Promise<RunSummary> {
  const text = await readFile(join(runFolder(directory), 'summary.json'), 'utf8');
  return RunSummary.parse(JSON.parse(text));
}

/** Rows out are rows in, in their order, and each answer belongs to its row. */
function checkRows(rows: readonly OutputRow[], scenario: Scenario): void {
  const expected = rowsOf(scenario);
  expectEqual(rows.length, expected.length, 'rows out');
  for (const [index, { n, id, name, response, error_code, attempts }] of rows.entries()) {
    const row = expected[index] as DatasetRow;
    const asked = askedOf(row);
    expectEqual([Number(n), id, name], [row.n, row.id, row.name], `the values of row ${index}`);
    if (typeof attempts !== 'number') fail(`Row ${index} has no attempts.`);
    // What was paid for and is not of the schema stands beside its error.
    const isBad = error_code === SCHEMA_VIOLATION || error_code === TRUNCATED_ANSWER;
    if ((response === null) === (error_code === null || isBad)) {
      fail(`Row ${index} has response ${response} and error code ${error_code}.`);
    }
    if (asked.kind === 'unsent') {
      expectEqual([error_code, attempts], [asked.code, 0], `a row that cannot be asked, ${index}`);
    } else if (scenario.keys.output_schema !== undefined) {
      if (error_code === null) checkTyped(rows[index] as OutputRow, asked, scenario.keys.output_schema);
    } else if (response !== null) {
      const { text } = answerOf(asked, scenario);
      if (!ANSWER_ENDINGS.some((ending) => response === text + ending)) {
        fail(`Row ${index} has another row's answer: ${JSON.stringify(response)}`);
      }
    }
  }
}

/** The typed columns of a row say what its answer says, which is of its own prompt or of what it was told was wrong. */
function checkTyped(
  { name, response, label, stars }: OutputRow,
  { prompt, digests }: Extract<AskedOf, { kind: 'asked' }>,
  output_schema: Record<string, string>,
): void {
  const schema = answerSchemaOf(output_schema);
  // A fault may have put characters after it.
  const said = String(response).slice(0, String(response).lastIndexOf('}') + 1);
  expectEqual({ label, stars }, JSON.parse(said), `the typed columns of ${name}`);
  const asked = [prompt, `${prompt}${schemaInstruction(schema)}`, ...REASKED];
  const answers = asked.map((of) =>
    JSON.stringify(simulatedObject(schema, hash32([MODEL, of, ...digests].join('\n')))),
  );
  if (!answers.includes(said)) fail(`${name} has another row's answer: ${said}`);
}

/** What a model is told of an answer that a fault has broken, or that was cut off. */
const REASKED = ['it has no JSON object in it'].map(
  (fault) =>
    `Your answer does not match the JSON Schema: ${fault}. Answer again with one JSON object that matches it, and nothing else.`,
);

/** The summary says what the rows say. */
function checkLedger(rows: readonly OutputRow[], summary: RunSummary, { keys }: Scenario): void {
  const succeeded = rows.filter(({ error_code }) => error_code === null).length;
  const notSent = rows.filter(({ error_code, attempts }) => error_code !== null && attempts === 0).length;
  const reused = rows.filter(({ reused_from = null }) => reused_from !== null).length;
  const counted = {
    total: rows.length,
    succeeded,
    failed: rows.length - succeeded - notSent,
    not_sent: notSent,
  };
  expectEqual(summary.rows, keys.reuse === true ? { ...counted, reused } : counted, 'the ledger');
  const reasons = Object.entries(Object.groupBy(rows, ({ error_code }) => String(error_code)))
    .filter(([code]) => code !== 'null')
    .map(([code, group]) => [code, group?.length]);
  const said = summary.reasons.map(({ error_code, rows: count }) => [error_code, count]);
  expectEqual(new Map(said as []), new Map(reasons as []), 'the reasons');
  const attempts = summary.attempts.reduce((sum, counts) => sum + counts.rows, 0);
  expectEqual(attempts, rows.length, 'the rows by attempts');
  expectEqual(summary.status === 'succeeded', succeeded === rows.length, 'that the run succeeded');
  expectEqual(
    summary.status === 'cancelled',
    summary.stop?.reason === 'cancelled' && succeeded < rows.length,
    'that it was cancelled',
  );
  const { max_cost_usd } = summary.input;
  // Of the input Quarry knows the bytes, and what tokens they make, about.
  const roundingUsd = rows.length * keys.max_attempts * costUsd(PRICE, { input: 1, output: 0 });
  if (typeof max_cost_usd === 'number' && (summary.cost_usd ?? 0) > max_cost_usd + roundingUsd) {
    fail(`The run cost ${summary.cost_usd}, over its budget of ${max_cost_usd}.`);
  }
}

/** A row without an answer has had its attempts, or an error that no attempt would mend, or the run was stopped. */
function checkNothingForgotten(rows: readonly OutputRow[], { stop }: RunSummary, { keys }: Scenario): void {
  for (const { name, error_code, attempts } of rows) {
    if (Number(attempts) > keys.max_attempts) fail(`${name} took ${attempts} attempts.`);
    if (error_code === null || stop !== null || !isRetryableCode(String(error_code))) continue;
    if (Number(attempts) < keys.max_attempts) {
      fail(`${name} was given up after ${attempts} attempts with ${error_code}.`);
    }
  }
}

/** No record was sent more often than allowed, and none was sent again that had been answered. */
async function checkNothingTwice(rows: readonly OutputRow[], run: FinishedRun): Promise<void> {
  const { scenario, directory, emulator, foreignJobs } = run;
  const sent = new Map<string, number>();
  const answered = new Map<string, number>();
  const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
  const folder = join(workFolder(directory), 'model-output');
  const { tracked, jobs: all } = await emulator.usage();
  const jobs = all.filter(({ jobName }) => !foreignJobs.has(jobName) && !jobName.includes(FORMER_RUN_ID));
  const statusOfPart = new Map(jobs.map(({ jobName, status }) => [partOf(jobName), status]));
  expectEqual(new Set(jobs.map(({ jobName }) => jobName)).size, jobs.length, 'jobs by their names');
  for (const part of new Set([...statusOfPart.keys(), ...(await foldersIn(folder))])) {
    const input = join(workFolder(directory), 'parts', part, 'records.jsonl');
    // A call on demand that was refused has sent nothing, and a job that broke off tried what it has lines of; only one that
    // completed has tried every record.
    const isCompleted = statusOfPart.get(part) === 'Completed';
    const records = isCompleted ? await readLines(input) : await outputLines(join(folder, part));
    for (const recordId of new Set(records.map((record) => record.recordId))) count(sent, recordId);
    for (const recordId of await answeredIn(join(folder, part))) count(answered, recordId);
  }
  // Whoever wants answers that were cut off to be asked for again pays for them again.
  const isTyped = scenario.keys.output_schema !== undefined;
  const asked = rowsOf(scenario).map(askedOf);
  const isCut = (of: AskedOf | undefined) => of?.kind === 'asked' && answerOf(of, scenario).isCut;
  const repeatable = new Set(
    rows.flatMap(({ record_id, attempts }, index) =>
      (isTyped && Number(attempts) > 1) || (scenario.keys.retry_truncated === true && isCut(asked[index]))
        ? [String(record_id)]
        : [],
    ),
  );
  for (const [recordId, times] of sent) {
    // Where the model refuses to be held to the schema, a record is sent once more for nothing.
    const most = scenario.keys.max_attempts + (isTyped ? 1 : 0);
    if (times > most) fail(`${recordId} was sent ${times} times.`);
  }
  for (const [recordId, times] of answered) {
    if (times > 1 && !repeatable.has(recordId)) fail(`${recordId} was answered ${times} times.`);
  }
  const readable = rows.filter(
    ({ response, input_tokens, reused_from = null }) =>
      response !== null && input_tokens !== null && reused_from === null,
  );
  if (!isTyped) expectEqual(answered.size, readable.length, 'records with an answer in the output of jobs');
  else if (answered.size < readable.length) fail('Rows have answers that no job has given.');
  const extra = (tracked?.bodiesAnsweredMoreThanOnce ?? []).reduce((sum, { times }) => sum + times - 1, 0);
  if (extra > paidTwiceByNature(run, repeatable.size)) {
    fail(`Paid twice for: ${JSON.stringify(tracked?.bodiesAnsweredMoreThanOnce)}`);
  }
}

/** How often the same body may have been paid for again, by the nature of the faults or by wish. */
function paidTwiceByNature(run: FinishedRun, repeatable: number): number {
  const { scenario, twinSteps } = run;
  // What was given up is paid for again, and what another run asks is its own affair.
  if (run.hasGivenUp || scenario.hasNeighbour || scenario.former !== undefined)
    return Number.POSITIVE_INFINITY;
  const { keys, faults, quotas } = scenario;
  const prompts = rowsOf(scenario)
    .map(askedOf)
    .flatMap((asked) => (asked.kind === 'asked' ? [JSON.stringify(asked)] : []));
  const equal = keys.dedupe === true || keys.reuse === true ? 0 : prompts.length - new Set(prompts).size;
  let most = equal + repeatable * (keys.max_attempts - 1);
  // On demand there is no token: two workers at once may each ask for the records of the part, which are few.
  most += twinSteps.filter((step) => step === 'runOnDemand').length * (quotas.minRecordsPerJob - 1);
  for (const { fault, times = 1 } of faults) {
    // Bedrock has answered, and nobody could read it: the record is owed, and paid for again.
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
  return join(directory, LOCAL_BUCKET, 'runs', 'chaos');
}

function workFolder(directory: string): string {
  return join(directory, LOCAL_BUCKET, 'working', 'chaos');
}

/** Everything that a second run under the same id must leave as it is. */
export async function snapshot({ directory, emulator }: FinishedRun): Promise<Record<string, string>> {
  const hashes: Record<string, string> = { usage: JSON.stringify(await emulator.usage()) };
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

/**
 * Throws where something changed. The report is written anew where there is none of the summary: the store may have failed, or
 * of two workers that ended the run at once the one whose summary it was not may have written it last.
 */
export function checkUnchanged(before: Record<string, string>, after: Record<string, string>): void {
  const isReport = (key: string) => key.endsWith('/report.html');
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (before[key] !== after[key] && !isReport(key))
      fail(`A second run under the same id changed ${key}: ${before[key]} to ${after[key]}.`);
  }
}

function expectEqual(actual: unknown, expected: unknown, what: string): void {
  const text = (value: unknown) => JSON.stringify(value instanceof Map ? [...value].sort() : value);
  if (text(actual) !== text(expected)) fail(`${what}: ${text(actual)}, not ${text(expected)}.`);
}

function fail(message: string): never {
  throw new Error(message);
}
