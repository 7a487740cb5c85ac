import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runQuarry } from '../../support/run-quarry.ts';

const MODEL = 'us.amazon.nova-lite-v1:0';
const PROMPT = ['--prompt-template', 'What is {text}?'];
let home: string;

/** Runs that have ended in one store: over the same rows, over edited ones, by ids of two columns, and embeddings. */
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'quarry-test-'));
  const row = (index: number, text: string) => `${index},k${index},${text}\n`;
  const rows = Array.from({ length: 40 }, (_, index) => row(index, `text ${index}`));
  await writeFile(join(home, 'rows.csv'), `id,key,text\n${rows.join('')}`);
  const edited = [...rows.slice(3), row(100, 'text 100'), row(101, 'text 101')].with(
    0,
    row(3, 'another text'),
  );
  await writeFile(join(home, 'edited.csv'), `id,key,text\n${edited.join('')}`);
  const runs: [name: string, file: string, ...words: string[]][] = [
    ['first', 'rows.csv', '--model-id', MODEL, ...PROMPT],
    ['other-prompt', 'rows.csv', '--model-id', MODEL, '--prompt-template', 'Tell me what {text} is.'],
    ['by-id', 'rows.csv', '--model-id', MODEL, ...PROMPT, '--record-id-column', 'id'],
    ['edited-by-id', 'edited.csv', '--model-id', MODEL, ...PROMPT, '--record-id-column', 'id'],
    ['by-key', 'edited.csv', '--model-id', MODEL, ...PROMPT, '--record-id-column', 'key'],
    ['edited', 'edited.csv', '--model-id', MODEL, ...PROMPT],
    ['vectors', 'rows.csv', '--model-id', 'amazon.titan-embed-text-v2:0', '--text-column', 'text'],
  ];
  for (const [name, file, ...words] of runs) {
    const { status, err } = await quarry('run', join(home, file), '--run-id', name, ...words);
    expect(status, err).toBe(0);
  }
}, 120_000);

afterAll(() => rm(home, { recursive: true, force: true }));

function quarry(...args: string[]) {
  return runQuarry(...args, '--dir', join(home, 'store'));
}

async function diffOf(...args: string[]) {
  const { status, out, err } = await quarry('diff', ...args, '--json');
  expect(err).toBe('');
  return { status, ...JSON.parse(out) };
}

test('the diff of a run with itself is empty, and says that it is one with itself', async () => {
  const { status, diff, conditions, failed, page } = await diffOf(
    'first',
    'first',
    '--fail-if',
    'changed>0, only_in_a>0',
  );
  expect({ status, failed, page }).toEqual({ status: 0, failed: false, page: null });
  expect(conditions.map(({ holds }: { holds: boolean }) => holds)).toEqual([false, false]);
  expect(diff).toMatchObject({
    is_empty: true,
    in_both: 40,
    compared: 40,
    changed: { rows: 0 },
    telling: [],
    settings: [],
    notes: ['Run first is compared with itself: nothing can differ.'],
  });
  expect((await quarry('diff', 'first', 'first')).out).toContain('\nNothing differs.\n');
});

test('another prompt changes the answers; what differs is told, and a condition that holds ends with status 2', async () => {
  const html = join(home, 'pages', 'diff.html');
  const { status, out, err } = await quarry(
    'diff',
    'first',
    'other-prompt',
    '--html',
    html,
    '--fail-if',
    'changed>1%',
  );
  expect([status, err]).toEqual([2, '']);
  expect(out).toContain(
    'rows       40 in both, 0 only in A, 0 only in B; joined by their numbers in the same dataset',
  );
  expect(out).toContain('changed    40 (100.00 %, 95 % interval 91.24 % to 100.00 %), by the text');
  expect(out).toContain('prompt_template: What is {text}? → Tell me what {text} is.');
  expect(out).toContain('FAILED  changed>1%: it is 100%');
  expect(out.trimEnd().endsWith(html)).toBe(true);
  expect(await readFile(html, 'utf8')).toContain('<title>Quarry diff</title>');
  expect(await diffOf('first', 'other-prompt')).toEqual(await diffOf('first', 'other-prompt'));
  expect((await readdir(join(home, 'store/.scratch'))).filter((name) => name.startsWith('diff-'))).toEqual(
    [],
  );
});

test('rows of an edited dataset are joined by ids, or by their content', async () => {
  const byId = await diffOf('by-id', 'edited-by-id');
  expect(byId.diff).toMatchObject({
    joined_by: { kind: 'record_id', column: 'id' },
    ...{ in_both: 37, only_in_a: 3, only_in_b: 2, edited: 1, changed: { rows: 1, of: 37 } },
  });
  expect(byId.diff.notes).toContain(
    '1 row has the same id but other input columns: their answers may differ because of that.',
  );
  const byContent = await diffOf('first', 'edited');
  expect(byContent.diff).toMatchObject({
    joined_by: { kind: 'content', columns: ['id', 'key', 'text'] },
    ...{ in_both: 36, only_in_a: 4, only_in_b: 3, edited: null, changed: { rows: 0, of: 36 } },
  });
  expect((await diffOf('by-id', 'by-key', '--by', 'content')).diff).toMatchObject({
    in_both: 36,
    changed: { rows: 0 },
  });
});

test('vectors that are the same have no distance but 0', async () => {
  const same = await diffOf('vectors', 'vectors', '--fail-if', 'distance>0');
  expect(same).toMatchObject({ status: 0, diff: { is_empty: true, distances: { rows: 40, mean: 0 } } });
});

test.for([
  [['first', 'none-such'], 'There is no run "none-such". Runs here, the nearest first:'],
  [
    ['by-id', 'by-key'],
    'Run "by-id" has its record ids from the column "id", and run "by-key" from "key": they cannot be the ids of the same rows.',
  ],
  [
    ['vectors', 'first'],
    'Run "vectors" has embeddings and run "first" has texts: they cannot be compared. Compare two runs of the same kind.',
  ],
  [['first', 'edited', '--by', 'id'], 'The rows of "first" and "edited" are numbered, and of other files'],
  [
    ['first', 'first', '--fail-if', 'changed'],
    'The condition "changed" is not METRIC, an operator (>, >=, <, <=) and a number.',
  ],
  [
    ['first', 'first', '--fail-if', 'shift.stars>1'],
    '"stars" is no typed column of both runs. They have none: a column is typed by output_schema.',
  ],
  [
    ['first', 'first', '--html', 'diff.txt'],
    'The diff is one HTML file, and "diff.txt" does not end in .html. Name a file such as diff.html.',
  ],
] as const)('bad input is refused by an exact message: %s', async ([words, message]) => {
  const { status, out, err } = await quarry('diff', ...words);
  expect([status, out]).toEqual([1, '']);
  expect(err).toContain(message);
});

test('a run that has not ended is refused', async () => {
  await rm(join(home, 'store/quarry-local/runs/other-prompt/summary.json'));
  const { status, err } = await quarry('diff', 'first', 'other-prompt');
  expect(status).toBe(1);
  expect(err).toContain(
    'Run "other-prompt" has not ended yet: two runs that have are compared. See how far it is: quarry status other-prompt',
  );
});
