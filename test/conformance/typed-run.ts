import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LOCAL_BUCKET } from '../../src/targets/local/local-target.ts';
import { openEmulatedTarget, runRows } from '../support/emulated-run.ts';

/**
 * Runs 10,000 rows with a schema, of whose answers one in twenty is broken the first time and half of those the second, and
 * proves that the broken ones, and no others, were asked for again, each with what was wrong. Writes where the output is to
 * DIRECTORY/outputs.txt for other readers. Usage: typed-run.ts DIRECTORY
 */
const ROWS = 10_000;
const [directory = ''] = process.argv.slice(2);
const output_schema = {
  label: 'good | neutral | bad',
  score: 'number 0..1',
  stars: 'integer 1..5',
  topics: 'string[]',
  reason: 'string?',
};

function check(what: string, isTrue: boolean): void {
  if (isTrue) return;
  console.log(`FAILED: ${what}`);
  process.exitCode = 1;
}

await using emulated = await openEmulatedTarget({
  directory,
  emulator: {
    faults: [
      { when: { jobs: [1] }, fault: { kind: 'broken-answers', fraction: 0.05 } },
      { when: { jobs: [2] }, fault: { kind: 'broken-answers', fraction: 0.5 } },
    ],
  },
});
const result = await runRows(ROWS, emulated, {
  directory,
  keys: { output_schema, max_records_per_job: ROWS, min_records_per_job_spread: ROWS },
});
if (result.kind !== 'finished') throw new Error(JSON.stringify(result));
const { summary } = result;
check('every row has its typed answer', summary.rows.succeeded === ROWS);
check('two repair waves', summary.waves === 3);
const sentIn = async (part: string) => {
  const text = await readFile(
    join(directory, LOCAL_BUCKET, 'working/emulated/parts', part, 'records.jsonl'),
    'utf8',
  );
  return text.trimEnd().split('\n');
};
const [second, third] = [await sentIn('w2p00001'), await sentIn('w3p00001')];
check('one in twenty is sent again', second.length > ROWS * 0.04 && second.length < ROWS * 0.06);
check('half of those a third time', third.length > second.length * 0.4 && third.length < second.length * 0.6);
check(
  'each with what was wrong',
  [...second, ...third].every((line) =>
    line.includes('Your answer does not match the JSON Schema: it has no JSON object in it.'),
  ),
);
const { tracked } = await emulated.emulator.usage();
const times = new Map(tracked?.answeredMoreThanOnce.map((record) => [record.recordId, record.times]));
check('nothing else was asked for again', times.size === second.length);
check(
  'nor oftener',
  [...times.values()].reduce((sum, count) => sum + count - 1, 0) === second.length + third.length,
);
await writeFile(
  join(directory, 'outputs.txt'),
  summary.output_uris.map((uri) => `${join(directory, uri.replace('s3://', ''))}\n`).join(''),
);
if (process.exitCode !== 1)
  console.log(`typed: ${ROWS} rows, ${second.length} asked again, ${third.length} of them twice`);
