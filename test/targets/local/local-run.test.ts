import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createVirtualClock } from '../../../src/core/clock.ts';
import type { RunEvent } from '../../../src/core/run/run-event.ts';
import { simulatedAnswer } from '../../../src/emulator/models/simulated-model.ts';
import { readResults } from '../../../src/rows/results/read-results.ts';
import { localPathOf } from '../../../src/store/directory-store.ts';
import { type LocalRunResult, runLocally } from '../../../src/targets/embedded/run-locally.ts';
import { LOCAL_BUCKET, openLocalTarget, sha256 } from '../../../src/targets/local/local-target.ts';
import { stageDataset } from '../../../src/targets/local/stage-dataset.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const MODEL = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';

/** Runs a file through the workflow under a virtual clock. */
async function runFile(
  directory: string,
  { file, keys }: { file: string; keys: Record<string, unknown> },
): Promise<{ result: LocalRunResult; progress: RunEvent[]; outputs: string[] }> {
  await using target = await openLocalTarget({ directory, clock: createVirtualClock(), version: '0.0.0' });
  const { uri: s3_uri } = await stageDataset(file, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
  const progress: RunEvent[] = [];
  const result = await runLocally(
    { s3_uri, model_id: MODEL, ...keys },
    { target, random: () => 0.5, onProgress: (piece) => progress.push(piece) },
  );
  const outputs =
    result.kind === 'finished'
      ? result.summary.output_uris.map((uri) => localPathOf(directory, uri as `s3://${string}`))
      : [];
  return { result, progress, outputs };
}

/** Awkward values, every one with its row number in it, so that no two rows are alike. */
function awkwardRows(rows: number): { code: string; text: string; big: string; note: string }[] {
  const texts = [
    'plain',
    'with "quotes"',
    'two\nlines',
    'a, comma',
    'emoji 🐉',
    '{text} $& {{x}}',
    '\u2028 line',
    ' ',
  ];
  return Array.from({ length: rows }, (_, index) => ({
    code: String(index % 1000).padStart(3, '0'),
    text: `${texts[index % texts.length]} ${index}`,
    big: `1234567890${String(index).padStart(10, '0')}`,
    note: index % 3 === 0 ? '' : `1e${index % 9}`,
  }));
}

function toCsv(rows: readonly Record<string, string>[]): string {
  const field = (value: string) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const head = Object.keys(rows[0] ?? {});
  return `${[head, ...rows.map((row) => head.map((column) => row[column] ?? ''))]
    .map((fields) => fields.map(field).join(','))
    .join('\n')}\n`;
}

test('100,000 rows of CSV come back with every value as it was and every answer at its own row', async () => {
  const directory = await temporaryDirectory();
  const rows = awkwardRows(100_000);
  const file = join(directory, 'rows.csv');
  await writeFile(file, toCsv(rows));
  const { result, outputs } = await runFile(directory, {
    file,
    keys: {
      prompt_template: 'Say: {text} ({big})',
      max_records_per_job: 40_000,
      min_records_per_job_spread: 40_000,
    },
  });
  expect(result).toMatchObject({
    kind: 'finished',
    summary: {
      status: 'succeeded',
      rows: { total: 100_000, succeeded: 100_000, failed: 0, not_sent: 0 },
      jobs: 4,
      simulated: true,
    },
  });
  let index = 0;
  for await (const row of readResults(outputs, {})) {
    const { response, record_id, attempts, code, text, big, note } = row;
    const expected = rows[index];
    if (expected === undefined) throw new Error(`There are more rows out than in: ${index}.`);
    // One comparison a row: a hundred thousand deep ones take their time.
    const right =
      code === expected.code &&
      text === expected.text &&
      big === expected.big &&
      note === expected.note &&
      record_id === `r${String(index).padStart(10, '0')}` &&
      attempts === 1 &&
      response === simulatedAnswer(MODEL, `Say: ${expected.text} (${expected.big})`);
    if (!right) expect(row).toEqual({ ...expected, response: 'the answer to its own prompt' });
    index += 1;
  }
  expect(index).toBe(100_000);
}, 180_000);

test('the same run again does no work twice and leaves every file as it was', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.csv');
  await writeFile(file, toCsv(awkwardRows(350)));
  const keys = { prompt_template: '{text}', run_id: 'again' };
  const first = await runFile(directory, { file, keys });
  const before = await hashFiles(join(directory, LOCAL_BUCKET, 'runs', 'again'));
  const jobsBefore = await hashFiles(join(directory, '.emulator', 'jobs'));
  const second = await runFile(directory, { file, keys });
  expect(second.result).toEqual(first.result);
  expect(second.progress.filter(({ kind }) => kind === 'prepared')).toEqual([]);
  const after = await hashFiles(join(directory, LOCAL_BUCKET, 'runs', 'again'));
  expect(after).toEqual(before);
  expect(await hashFiles(join(directory, '.emulator', 'jobs'))).toEqual(jobsBefore);
});

test('a run id that was used for another input is refused, and says what differs', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.csv');
  await writeFile(file, toCsv(awkwardRows(20)));
  await runFile(directory, { file, keys: { prompt_template: '{text}', run_id: 'mine' } });
  const other = await runFile(directory, {
    file,
    keys: { prompt_template: '{text}', run_id: 'mine', inference_parameters: { max_tokens: 5 } },
  });
  expect(other.result).toMatchObject({
    kind: 'failed',
    error: 'RunConflictError',
    message:
      'Run "mine" exists, with another input: inference_parameters differ. Give another run_id, or the same input to resume.',
  });
  await writeFile(file, toCsv(awkwardRows(21)));
  const changed = await runFile(directory, { file, keys: { prompt_template: '{text}', run_id: 'mine' } });
  expect(changed.result).toMatchObject({
    error: 'RunConflictError',
    message: expect.stringContaining('s3_uri'),
  });
});

test('a row with a null in a placeholder is not sent, and says why', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.jsonl');
  await writeFile(file, '{"a":"x"}\n{"a":null}\n{"a":"y"}\n');
  const { result, outputs } = await runFile(directory, { file, keys: { prompt_template: '{a}' } });
  expect(result).toMatchObject({
    kind: 'finished',
    summary: {
      status: 'partly_succeeded',
      rows: { total: 3, succeeded: 2, failed: 0, not_sent: 1 },
      jobs: 0,
    },
  });
  const rows = await Array.fromAsync(readResults(outputs, {}));
  expect(rows[1]).toMatchObject({ a: null, response: null, error_code: 'NullPromptValue', attempts: 0 });
});

test('max_num_jobs runs only the rows that fit, as documents of the AWS sample expect', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.csv');
  await writeFile(file, toCsv(awkwardRows(500)));
  const { result } = await runFile(directory, {
    file,
    keys: { prompt_template: '{text}', max_num_jobs: 2, max_records_per_batch: 150 },
  });
  expect(result).toMatchObject({
    kind: 'finished',
    summary: { rows: { total: 300, succeeded: 300 }, jobs: 2, dataset_rows: 500 },
  });
});

test('embeddings come back as lists of floats beside their rows', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'texts.csv');
  await writeFile(file, toCsv(awkwardRows(120).map(({ code, text }) => ({ code, input_text: text }))));
  const { result, outputs } = await runFile(directory, {
    file,
    keys: {
      model_id: 'amazon.titan-embed-text-v2:0',
      prompt_id: null,
      inference_parameters: { dimensions: 256 },
    },
  });
  expect(result).toMatchObject({ kind: 'finished', summary: { status: 'succeeded', jobs: 1 } });
  const [first] = await Array.fromAsync(readResults(outputs, { head: 1 }));
  expect(first?.embedding).toHaveLength(256);
});

test('embeddings of bits come back as lists of zeros and ones, a byte each', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'texts.csv');
  await writeFile(file, toCsv(awkwardRows(120).map(({ code, text }) => ({ code, input_text: text }))));
  const { result, outputs } = await runFile(directory, {
    file,
    keys: {
      model_id: 'amazon.titan-embed-text-v2:0',
      inference_parameters: { dimensions: 256, embedding_type: 'binary' },
    },
  });
  expect(result).toMatchObject({ kind: 'finished', summary: { status: 'succeeded', jobs: 1 } });
  for await (const { embedding } of readResults(outputs, {})) {
    expect(embedding).toHaveLength(256);
    expect(new Set(embedding as number[])).toEqual(new Set([0, 1]));
  }
});

test('an aborted run ends cleanly and goes on when it is started again', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.csv');
  await writeFile(file, toCsv(awkwardRows(300)));
  const { uri: s3_uri } = await stageDataset(file, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
  const input = { s3_uri, model_id: MODEL, prompt_template: '{text}', run_id: 'stopped' };
  const abort = new AbortController();
  {
    await using target = await openLocalTarget({ directory, clock: createVirtualClock(), version: '0.0.0' });
    const result = await runLocally(input, {
      target,
      random: () => 0.5,
      signal: abort.signal,
      onProgress: ({ kind }) => kind === 'job' && abort.abort(new Error('Interrupted.')),
    });
    expect(result).toEqual({ kind: 'aborted', runId: 'stopped' });
  }
  const again = await runFile(directory, { file, keys: { prompt_template: '{text}', run_id: 'stopped' } });
  expect(again.result).toMatchObject({ kind: 'finished', summary: { status: 'succeeded', jobs: 1 } });
});

async function hashFiles(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const hashes: Record<string, string> = {};
  for (const entry of entries.filter((file) => file.isFile())) {
    const path = join(entry.parentPath, entry.name);
    if (path.includes('map-results')) continue;
    hashes[path.slice(folder.length)] = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  }
  return hashes;
}
