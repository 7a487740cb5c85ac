import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LOCAL_BUCKET } from '../../../src/targets/local/local-target.ts';
import { openEmulatedTarget, outputRows, runRows } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const output_schema = {
  label: 'good | neutral | bad',
  score: 'number 0..1',
  stars: 'integer 1..5',
  topics: 'string[]',
  reason: 'string?',
};

test('answers that break the schema are sent again, and only they, until every row has its typed columns', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: {
      faults: [
        { fault: { kind: 'broken-answers', fraction: 0.3, firstAttemptOnly: true } },
        { fault: { kind: 'awkward-text', fraction: 0.2 } },
      ],
    },
  });
  const keys = { output_schema, output_prefix: 'a_', max_records_per_job: 500 };
  const result = await runRows(1000, emulated, { directory, keys });
  if (result.kind !== 'finished') throw new Error(JSON.stringify(result));
  const { summary } = result;
  expect(summary).toMatchObject({ status: 'succeeded', rows: { total: 1000, succeeded: 1000 }, reasons: [] });
  expect(summary.mended).toBeGreaterThan(50);
  const [once, twice] = summary.attempts;
  expect(twice?.rows).toBeGreaterThan(200);
  expect(summary.checked).toBe(1000 + Number(twice?.rows));
  expect(summary.columns?.map(({ name, rows, numbers }) => [name, rows, numbers === null])).toEqual([
    ['a_label', 1000, true],
    ['a_score', 1000, false],
    ['a_stars', 1000, false],
    ['a_topics', 1000, true],
    ['a_reason', 1000, true],
  ]);
  const labels = summary.columns?.[0]?.values ?? [];
  expect(labels.map(({ value }) => value).toSorted()).toEqual(['bad', 'good', 'neutral']);
  expect(labels.reduce((sum, { rows }) => sum + rows, 0)).toBe(1000);
  expect([once?.attempts, twice?.attempts]).toEqual([1, 2]);

  const rows = await outputRows(result, directory);
  for (const [index, row] of rows.entries()) {
    expect(row).toMatchObject({ name: `row ${index}`, error_code: null });
    expect(['good', 'neutral', 'bad']).toContain(row.a_label);
    expect(row.a_score).toBeGreaterThanOrEqual(0);
    expect(Array.isArray(row.a_topics)).toBe(true);
    expect(String(row.response)).toContain(`"label":"${row.a_label}"`);
  }
  // Each broken answer, and nothing else, was asked for again.
  const { tracked } = await emulated.emulator.usage();
  expect(tracked?.answeredMoreThanOnce).toHaveLength(twice?.rows ?? 0);
  expect(tracked?.answeredMoreThanOnce.every(({ times }) => times === 2)).toBe(true);
});

test('a row whose answer is never of the schema says so in the end, and quotes it', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: { faults: [{ fault: { kind: 'broken-answers', recordIds: ['r0000000003'] } }] },
  });
  // One attempt: a repair of a single record would run on demand, where the fault of a job does not reach.
  const keys = { output_schema, max_attempts: 1 };
  const result = await runRows(120, emulated, { directory, keys });
  expect(result).toMatchObject({
    kind: 'finished',
    summary: {
      status: 'partly_succeeded',
      rows: { total: 120, succeeded: 119, failed: 1, not_sent: 0 },
      reasons: [{ error_code: 'SchemaViolation', rows: 1, example_record_id: 'r0000000003' }],
    },
  });
  const rows = await outputRows(result, directory);
  expect(rows[3]).toMatchObject({
    label: null,
    topics: null,
    // What was paid for, and did not match.
    response: expect.stringMatching(/^\{"label" /),
  });
  expect(rows[3]?.error_message).toMatch(
    /^The answer does not match output_schema: it has no JSON object in it\. It says: \{"label" /,
  );
});

/** The bodies that a part's records were sent with, and by record id. */
async function sentBodies(directory: string, partId: string): Promise<Map<string, SentBody>> {
  const path = join(directory, LOCAL_BUCKET, 'working/emulated/parts', partId, 'records.jsonl');
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  return new Map(
    lines.map((line) => {
      const { recordId, modelInput } = JSON.parse(line) as { recordId: string; modelInput: SentBody };
      return [recordId, modelInput];
    }),
  );
}

interface SentBody {
  messages: { role: string; content: { text: string }[] }[];
  output_config?: { format?: unknown };
}

const textsOf = ({ messages }: SentBody) => messages.map(({ content }) => content[0]?.text ?? '');

test('a model is held to the schema by its own form, and shown its bad answer with what is wrong with it', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: { faults: [{ fault: { kind: 'broken-answers', fraction: 0.3, firstAttemptOnly: true } }] },
  });
  const messages = [
    { role: 'user', content: 'Say row x, as in {name}' },
    { role: 'assistant', content: '{{"label": "good"}}' },
  ];
  const result = await runRows(1000, emulated, { directory, keys: { output_schema, messages } });
  expect(result).toMatchObject({ kind: 'finished', summary: { status: 'succeeded', reasons: [] } });

  const first = await sentBodies(directory, 'p00001');
  const again = await sentBodies(directory, 'w2p00001');
  expect(again.size).toBeGreaterThan(200);
  for (const [recordId, body] of again) {
    const before = first.get(recordId);
    if (before === undefined) throw new Error(`${recordId} was not sent before.`);
    expect(textsOf(before)).toEqual([
      expect.stringMatching(/^Say row x, as in row \d+$/),
      '{"label": "good"}',
      expect.stringMatching(/^Say row \d+$/),
    ]);
    expect(before.output_config?.format).toMatchObject({ type: 'json_schema' });
    expect({ ...body, messages: body.messages.slice(0, 3) }).toEqual(before);
    expect(body.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant', 'user']);
    const [, , , answer, fault] = textsOf(body);
    expect(answer).toMatch(/^\{"label" /);
    expect(fault).toBe(
      'Your answer does not match the JSON Schema: it has no JSON object in it. Answer again with one JSON object that matches it, and nothing else.',
    );
  }
  const { tracked } = await emulated.emulator.usage();
  expect(tracked?.answeredMoreThanOnce).toHaveLength(again.size);
});

test('with reask false, such records are sent again byte for byte', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: { faults: [{ fault: { kind: 'broken-answers', fraction: 0.3, firstAttemptOnly: true } }] },
  });
  await runRows(500, emulated, { directory, keys: { output_schema, reask: false } });
  const [first, again] = await Promise.all(['p00001', 'w2p00001'].map((part) => sentBodies(directory, part)));
  expect(again?.size).toBeGreaterThan(100);
  for (const [recordId, body] of again ?? []) expect(body).toEqual(first?.get(recordId));
});

const REFUSED = 'output_config.format: Extra inputs are not permitted';

test('where the model refuses its own form, the run goes on with the schema in the prompt, and uses no attempt', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: {
      faults: [
        {
          when: { jobs: [1] },
          fault: { kind: 'record-errors', fraction: 1, errorCode: 400, errorMessage: REFUSED },
        },
        // Of records in the other form, as they are sent again.
        {
          when: { jobs: [2, 3, 4] },
          fault: { kind: 'broken-answers', fraction: 0.2, firstAttemptOnly: true },
        },
      ],
    },
  });
  const keys = { output_schema, max_records_per_job: 250, min_records_per_job_spread: 250, max_attempts: 2 };
  const result = await runRows(1000, emulated, { directory, keys });
  if (result.kind !== 'finished') throw new Error(JSON.stringify(result));
  const { summary } = result;
  expect(summary).toMatchObject({
    status: 'succeeded',
    rows: { total: 1000, succeeded: 1000 },
    schema_form: { form: 'prompt', refused: { records: 250, message: REFUSED } },
  });
  for (const part of ['p00001', 'p00002', 'p00003', 'p00004', 'w3p00001']) {
    const bodies = await sentBodies(directory, part);
    for (const body of bodies.values()) {
      expect(body.output_config === undefined).toBe(part !== 'p00001');
      const [prompt = ''] = textsOf(body);
      expect(prompt.includes('This JSON Schema describes it:')).toBe(part !== 'p00001');
      expect(prompt.split('This JSON Schema describes it:').length).toBeLessThanOrEqual(2);
    }
  }
  // Nothing was paid for twice: the refused records were not, and of the others only those that broke the schema.
  const { tracked } = await emulated.emulator.usage();
  expect(tracked?.answeredMoreThanOnce).toHaveLength(
    summary.attempts.find(({ attempts }) => attempts === 2)?.rows ?? 0,
  );
});
