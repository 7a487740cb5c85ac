/** CSV that says itself neither how it is escaped nor where it begins: the same rows on every road into a run. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { BUCKET, openBedrockWorld } from '../../support/bedrock-world.ts';
import { startQuarry } from '../../support/quarry-process.ts';
import { runQuarry, runQuarryOn } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ASK = ['--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', 'Say {column1}'];
const READ = [
  ...['--csv-skip', '2', '--csv-comment', '#', '--csv-escape', '\\', '--csv-header', 'false'],
  ...['--csv-delimiter', ';'],
];
const CONTENT = '\ufeffReport "of\r\nMonday\r\n# all\r\n1;"say \\"hi\\"\r\n;"\r\n#2;x\r\n"2";\\\\\\;\r\n';
const ROWS = [
  { column0: '1', column1: 'say "hi"\r\n;' },
  { column0: '2', column1: '\\;' },
];

async function rowsOf(run: string, ...flags: string[]): Promise<unknown[]> {
  const { out, err } = await runQuarry('results', run, '--format', 'jsonl', ...flags);
  expect(err).toBe('');
  return out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('from a file, packed or in UTF-16, from several and from the standard input', async () => {
  const dir = await temporaryDirectory();
  const local = ['--dir', dir];
  const at = (name: string) => join(dir, name);
  await writeFile(at('a.csv'), CONTENT);
  await writeFile(at('b.csv.gz'), gzipSync(CONTENT));
  await writeFile(at('c.csv'), Buffer.from(CONTENT, 'utf16le'));
  const files = ['a.csv', 'b.csv.gz', 'c.csv'].map(at);
  const plan = await runQuarry('plan', ...files, ...ASK, ...READ, ...local, '--json');
  expect(plan.status, plan.err).toBe(0);
  expect(JSON.parse(plan.out)).toMatchObject({
    dataset_rows: 6,
    notes: expect.arrayContaining([
      expect.stringMatching(/a\.csv, .*c\.csv: lines at its beginning that are passed over: 2$/),
      expect.stringMatching(/a\.csv, .*c\.csv: lines that begin with # and are passed over: 2$/),
    ]),
  });
  const run = await runQuarry('run', ...files, ...ASK, ...READ, ...local, '--run-id', 'files');
  expect(run.status, run.err).toBe(0);
  expect(await rowsOf('files', ...local)).toMatchObject([...ROWS, ...ROWS, ...ROWS]);
  const piped = Readable.from([gzipSync(CONTENT)], { objectMode: false });
  const pipe = await runQuarryOn(
    ...([piped, 'run', '-', '--format', 'csv', ...ASK, ...READ, ...local, '--run-id', 'piped'] as const),
  );
  expect(pipe.status, pipe.err).toBe(0);
  expect(await rowsOf('piped', ...local)).toMatchObject(ROWS);
});

test('from a run input, and by way of S3', async () => {
  const world = await openBedrockWorld();
  world.s3.objects.set(`${BUCKET}/in/a.csv`, Buffer.from(CONTENT));
  world.s3.objects.set(`${BUCKET}/in/b.csv.gz`, gzipSync(CONTENT));
  const input = join(await temporaryDirectory(), 'run.json');
  await writeFile(
    input,
    JSON.stringify({
      ...{ csv_skip: 2, csv_comment: '#', csv_escape: '\\', csv_header: false, csv_delimiter: ';' },
    }),
  );
  const flags = [...world.flags, '--prompt-template', 'Say {column1}', '--run-id', 'mine'];
  const run = await runQuarry('run', `s3://${BUCKET}/in/`, '--input', input, ...flags);
  expect(run.status, run.err).toBe(0);
  expect(await rowsOf('mine', '--dir', world.dir)).toMatchObject([...ROWS, ...ROWS]);
});

test('of a run that was killed, and goes on', async () => {
  const dir = await temporaryDirectory();
  const file = join(dir, 'a.csv');
  await writeFile(file, CONTENT);
  const args = [file, ...ASK, ...READ, '--dir', dir, '--run-id', 'mine'];
  const killed = startQuarry('run', ...args);
  await killed.printed('Wave 1');
  killed.signal('SIGKILL');
  expect(await killed.ended).toBe('SIGKILL');
  const plan = JSON.parse(await readFile(join(dir, 'quarry-local/runs/mine/plan.json'), 'utf8'));
  expect(plan.dataset.files[0].layout.csv).toEqual({
    ...{ delimiter: ';', quote: '"', escape: '\\', comment: '#', skip: 2, header: false, comment_lines: 2 },
  });
  const resumed = await runQuarry('resume', 'mine', '--dir', dir);
  expect(resumed.status, resumed.err).toBe(0);
  expect(await rowsOf('mine', '--dir', dir)).toMatchObject(ROWS);
});

test.each([
  [
    ['--csv-header', 'no'],
    "option '--csv-header <true|false>' argument 'no' is invalid. It is neither true nor false.",
  ],
  [['--csv-comment', '//'], 'csv_comment: give one ASCII punctuation mark, but not "'],
  [['--csv-skip', '1.5'], 'csv_skip'],
  [['--csv-escape', ';', '--csv-delimiter', ';'], 'csv_escape: give another character than csv_delimiter'],
])('%j is refused', async (flags, message) => {
  const dir = await temporaryDirectory();
  await writeFile(join(dir, 'a.csv'), 'n\n1\n');
  const { status, err } = await runQuarry('plan', join(dir, 'a.csv'), ...ASK, ...flags, '--dir', dir);
  expect(status).toBe(1);
  expect(err).toContain(message);
});
