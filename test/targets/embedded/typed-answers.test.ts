import { expect, test } from 'vitest';
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
    response: null,
  });
  expect(rows[3]?.error_message).toMatch(
    /^The answer does not match output_schema: it has no JSON object in it\. It says: \{"label" /,
  );
});
