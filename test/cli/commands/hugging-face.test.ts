import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type HubDouble, startHubDouble } from '../../hub/hub-double.ts';
import { startQuarry } from '../../support/quarry-process.ts';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const FLAGS = ['--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', 'Why? {source}', '--json'];

function parquetOf(from: number, to: number): Buffer {
  const rows = Array.from({ length: to - from }, (_, index) => from + index);
  return Buffer.from(
    parquetWriteBuffer({
      columnData: [
        { name: 'source', data: rows.map((row) => `question ${row}`), type: 'STRING' },
        { name: 'n', data: rows, type: 'INT32' },
      ],
    }),
  );
}

/** A Hub with a dataset of two splits, as the environment names it. */
async function startHub(): Promise<HubDouble> {
  const hub = await startHubDouble({
    'o/cot': {
      files: {
        'data/train-00000-of-00002.parquet': parquetOf(0, 150),
        'data/train-00001-of-00002.parquet': parquetOf(150, 240),
        'data/test-00000-of-00001.parquet': parquetOf(1000, 1003),
        'README.md': '# A dataset\n',
      },
    },
    'o/other': { files: { 'train.csv': 'source\na\nb\n' }, tokens: ['hf_reader'] },
  });
  onTestFinished(() => hub[Symbol.asyncDispose]());
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
  vi.stubEnv('HF_TOKEN', '');
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  return hub;
}

test('hf:owner/name is downloaded once, run, and pinned to its commit in plan and summary', async () => {
  const hub = await startHub();
  const dir = await temporaryDirectory();
  const first = await runQuarry('run', 'hf:o/cot', '--dir', dir, ...FLAGS);
  expect(first.err).toContain('Downloaded data/train-00001-of-00002.parquet');
  const summary = JSON.parse(first.out);
  const source = {
    dataset_id: 'o/cot',
    config_name: 'default',
    split: 'train',
    commit: hub.commitOf('o/cot'),
    files_commit: hub.commitOf('o/cot'),
    origin: 'files',
  };
  expect(summary).toMatchObject({ status: 'succeeded', rows: { total: 240, succeeded: 240 }, hub: source });
  expect(summary.dataset_files.map(({ uri }: { uri: string }) => uri)).toEqual(
    ['00000', '00001'].map(
      (shard) =>
        `s3://quarry-local/datasets/hf/o/cot/${source.commit}/default/train/data/train-${shard}-of-00002.parquet`,
    ),
  );
  const plan = JSON.parse(
    await readFile(join(dir, 'quarry-local', 'runs', summary.run_id, 'plan.json'), 'utf8'),
  );
  expect(plan.hub).toEqual(source);
  const { out } = await runQuarry('results', summary.run_id, '--dir', dir, '--format', 'jsonl');
  const rows = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 240 }, (_, index) => index));

  hub.seen.length = 0;
  const again = JSON.parse((await runQuarry('run', 'hf:o/cot', '--dir', dir, ...FLAGS)).out);
  expect(again.run_id).toBe(summary.run_id);
  expect(hub.seen.filter(({ origin }) => origin === 'cdn')).toEqual([]);
});

test('a run that is named keeps its commit, and finds its files without the Hub', async () => {
  const hub = await startHub();
  const dir = await temporaryDirectory();
  const args = ['hf:o/cot', '--split', 'test', '--dir', dir, '--run-id', 'pinned', ...FLAGS];
  expect(JSON.parse((await runQuarry('run', ...args)).out).rows.succeeded).toBe(3);
  hub.seen.length = 0;
  expect(JSON.parse((await runQuarry('plan', ...args)).out)).toMatchObject({ run_exists: true, rows: 3 });
  expect(hub.seen).toEqual([]);
  const other = await runQuarry('plan', 'hf:o/cot', '--dir', dir, '--run-id', 'pinned', ...FLAGS);
  expect(other.err).toMatch(/^Error: .*split.*differ[\s\S]*\(RunConflictError\)/m);
});

test('HF_TOKEN opens a private dataset, and without it nothing is run', async () => {
  await startHub();
  const dir = await temporaryDirectory();
  const refused = await runQuarry('plan', 'hf:o/other', '--dir', dir, ...FLAGS);
  expect(refused.status).toBe(1);
  expect(refused.err).toMatch(/HF_TOKEN/);
  vi.stubEnv('HF_TOKEN', 'hf_reader');
  const { out } = await runQuarry('plan', 'hf:o/other', '--dir', dir, ...FLAGS);
  expect(JSON.parse(out)).toMatchObject({ rows: 2, on_demand_rows: 2 });
});

test('CSV is read as its card says, and as a flag says before that', async () => {
  const card = (settings: string) =>
    `---\nconfigs:\n- config_name: default\n  data_dir: tables\n${settings}---\n`;
  // By itself it can be read in two ways.
  const csv = "source,n;a\nx,1;'b;b'\ny,2;c\n";
  const hub = await startHubDouble({
    'o/semicolons': {
      files: { 'README.md': card(`  sep: ";"\n  quotechar: "'"\n`), 'tables/train.csv': csv },
    },
    'o/tabs': {
      files: { 'README.md': card('  delimiter: "\\t"\n'), 'tables/train.csv': 'source\tn\na,b\t1\n' },
    },
    'o/written': {
      files: {
        'README.md': card('  skiprows: 1\n  header: null\n  escapechar: "\\\\"\n'),
        'tables/train.csv': 'made today\nx,"say \\"hi\\""\n',
      },
    },
    'o/letter': {
      files: { 'README.md': card('  escapechar: e\n'), 'tables/train.csv': 'source,n\na,b\n' },
    },
    'o/long': {
      files: { 'README.md': card('  sep: "::"\n  names: [a, b]\n'), 'tables/train.csv': 'source::n\na::b\n' },
    },
  });
  onTestFinished(() => hub[Symbol.asyncDispose]());
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
  onTestFinished(() => void vi.unstubAllEnvs());
  const dir = await temporaryDirectory();
  const [model, id, , , json] = FLAGS as [string, string, string, string, string];
  const ask = (template: string) => [model, id, '--prompt-template', template, json, '--dir', dir];
  const { out: summary, err } = await runQuarry('run', 'hf:o/semicolons', ...ask('{a}'));
  const run = JSON.parse(summary);
  expect(err).not.toContain('Error');
  expect(run.notes).toContain(
    'Its CSV is read as the dataset\'s card says: csv_delimiter ";", csv_quote "\'".',
  );
  const { out } = await runQuarry('results', run.run_id, '--dir', dir, '--format', 'jsonl');
  expect(
    out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { 'source,n': 'x,1', a: 'b;b' },
    { 'source,n': 'y,2', a: 'c' },
  ]);
  const flags = ['--csv-delimiter', ','];
  expect((await runQuarry('plan', 'hf:o/semicolons', ...ask('{source}'), ...flags)).status).toBe(0);
  const tabs = JSON.parse((await runQuarry('plan', 'hf:o/tabs', ...ask('{source} {n}'))).out);
  expect(tabs).toMatchObject({
    rows: 1,
    notes: expect.arrayContaining([expect.stringContaining('csv_delimiter "tab"')]),
  });
  const written = JSON.parse((await runQuarry('run', 'hf:o/written', ...ask('{column1}'))).out);
  expect(written.notes).toContain(
    'Its CSV is read as the dataset\'s card says: csv_escape "\\\\", csv_skip 1, csv_header false.',
  );
  const { out: rows } = await runQuarry('results', written.run_id, '--dir', dir, '--format', 'jsonl');
  expect(JSON.parse(rows)).toMatchObject({ column0: 'x', column1: 'say "hi"' });
  const letter = await runQuarry('plan', 'hf:o/letter', ...ask('{source}'));
  expect(letter.err).toContain('sets escapechar "e", which only the datasets library can apply');
  const refused = await runQuarry('plan', 'hf:o/long', ...ask('{source}'));
  expect(refused.err).toContain(
    'its config "default" sets names, sep "::", which only the datasets library can apply',
  );
});

test('a split that does not exist is refused with those that do', async () => {
  await startHub();
  const dir = await temporaryDirectory();
  const { status, err } = await runQuarry('run', 'hf:o/cot', '--split', 'validation', '--dir', dir, ...FLAGS);
  expect(status).toBe(1);
  expect(err).toMatch(/has no split "validation".*(test, train|train, test)/);
});

/** A Parquet file of 3 MB, of which a prompt's column is a small part. */
function wideParquet(): Buffer {
  const rows = Array.from({ length: 3000 }, (_, index) => index);
  const noise = (row: number) =>
    Array.from({ length: 120 }, (_, at) => ((row * 7919 + at * 104_729) % 1_000_003).toString(36)).join('');
  return Buffer.from(
    parquetWriteBuffer({
      columnData: [
        { name: 'source', data: rows.map((row) => `question ${row}`), type: 'STRING' },
        { name: 'noise', data: rows.map(noise), type: 'STRING' },
      ],
      rowGroupSize: 1000,
    }),
  );
}

test('a plan of Parquet files reads their footers and what it needs by ranges, and leaves nothing behind', async () => {
  const file = wideParquet();
  const hub = await startHubDouble({ 'o/wide': { files: { 'train.parquet': file } } });
  onTestFinished(() => hub[Symbol.asyncDispose]());
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const dir = await temporaryDirectory();
  const plan = JSON.parse((await runQuarry('plan', 'hf:o/wide', '--dir', dir, ...FLAGS)).out);
  expect(plan).toMatchObject({ rows: 3000, run_exists: false });
  const ranges = hub.seen.flatMap(({ origin, headers }) =>
    origin === 'cdn'
      ? [
          /^bytes=(\d+)-(\d+)$/
            .exec(headers.range ?? '')
            ?.slice(1)
            .map(Number),
        ]
      : [],
  );
  const bytes = ranges.reduce((sum, [start = 0, end = file.length] = []) => sum + end + 1 - start, 0);
  expect(file.length).toBeGreaterThan(1_000_000);
  expect(bytes).toBeLessThan(file.length / 4);
  expect(await readdir(join(dir, 'quarry-local'), { recursive: true }).catch(() => [])).not.toContain(
    expect.stringContaining('train.parquet'),
  );

  // The run is the one that was planned; it downloads the file once, and a later plan finds it there.
  const summary = JSON.parse((await runQuarry('run', 'hf:o/wide', '--dir', dir, ...FLAGS)).out);
  expect(summary).toMatchObject({ run_id: plan.run_id, rows: { total: 3000, succeeded: 3000 } });
  hub.seen.length = 0;
  const another = ['--prompt-template', 'How? {source}', '--model-id', 'us.amazon.nova-lite-v1:0', '--json'];
  expect(JSON.parse((await runQuarry('plan', 'hf:o/wide', '--dir', dir, ...another)).out).rows).toBe(3000);
  expect(hub.seen.filter(({ origin }) => origin === 'cdn')).toEqual([]);
});

test('text files are downloaded by the plan once, and the run finds them', async () => {
  const hub = await startHub();
  vi.stubEnv('HF_TOKEN', 'hf_reader');
  const dir = await temporaryDirectory();
  const plan = JSON.parse((await runQuarry('plan', 'hf:o/other', '--dir', dir, ...FLAGS)).out);
  hub.seen.length = 0;
  const summary = JSON.parse((await runQuarry('run', 'hf:o/other', '--dir', dir, ...FLAGS)).out);
  expect(summary).toMatchObject({ run_id: plan.run_id, rows: { total: 2, succeeded: 2 } });
  expect(hub.seen.filter(({ path }) => path.includes('/resolve/') && path.includes('train.csv'))).toEqual([]);
});

test.each(['plan', 'run'])(
  '%s says within seconds why the Hub does not answer, and when it is tried again',
  async (command) => {
    // A port that nobody listens on.
    const hub = await startHubDouble({});
    const { endpoint } = hub;
    await hub[Symbol.asyncDispose]();
    vi.stubEnv('HF_ENDPOINT', endpoint);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const dir = await temporaryDirectory();
    const quarry = startQuarry(command, 'hf:o/d', '--dir', dir, ...FLAGS);
    await quarry.printed(
      new RegExp(
        `${endpoint} could not be reached: .*ECONNREFUSED.* Trying again in \\d s \\(attempt 2 of 6\\)\\.`,
      ),
    );
    quarry.signal('SIGINT');
    expect(await quarry.ended).toBe(130);
  },
);
