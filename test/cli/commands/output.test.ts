import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import { Quarry } from '../../../src/index.ts';
import { openBedrockWorld } from '../../support/bedrock-world.ts';
import { startQuarry } from '../../support/quarry-process.ts';
import { runQuarry } from '../../support/run-quarry.ts';
import { openStackWorld } from '../../support/stack-world.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const MODEL = ['--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', 'Say {a}'];
const ROWS = '{"a":"x, \\"y\\""}\n{"a":null}\n{"a":"z"}\n';

/** A folder with a dataset of three rows, of which the second cannot be sent. */
async function open(rows = ROWS) {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.jsonl');
  await writeFile(file, rows);
  const dir = join(directory, 'store');
  const run = (...args: string[]) => runQuarry('run', file, ...MODEL, '--dir', dir, ...args);
  const quarry = (...args: string[]) => runQuarry(...args, '--dir', dir);
  const at = (name: string) => join(directory, name);
  return { directory, dir, file, run, quarry, at };
}

async function readParquet(path: string): Promise<Record<string, unknown>[]> {
  const { buffer } = new Uint8Array(await readFile(path));
  return parquetReadObjects({ file: buffer });
}

test('an output that is one file has every row, in the format that its name ends in', async () => {
  const { run, quarry, at } = await open();
  const parquet = await run('--run-id', 'one', '--output', at('all.parquet'), '--json');
  expect(parquet.status, parquet.err).toBe(2);
  expect(JSON.parse(parquet.out).output_paths).toEqual([at('all.parquet')]);
  const rows = await readParquet(at('all.parquet'));
  expect(rows.map(({ a, error_code }) => [a, error_code])).toEqual([
    ['x, "y"', null],
    [null, 'NullPromptValue'],
    ['z', null],
  ]);
  const csv = await quarry('results', 'one', '--output', at('sub/all.csv'));
  expect(csv.out).toBe(`${at('sub/all.csv')} has the rows.\n`);
  expect(await readFile(at('sub/all.csv'), 'utf8')).toBe(
    (await quarry('results', 'one', '--format', 'csv')).out,
  );
  await quarry('results', 'one', '--output', at('failed.jsonl'), '--failed');
  const failed = await readFile(at('failed.jsonl'), 'utf8');
  expect(JSON.parse(failed)).toMatchObject({ a: null, error_code: 'NullPromptValue' });
  await quarry('results', 'one', '--output', at('first.parquet'), '--head', '1');
  expect(await readParquet(at('first.parquet'))).toHaveLength(1);
  // Nothing but whole files is left.
  expect((await readdir(at('.'))).sort()).toEqual(
    ['all.parquet', 'failed.jsonl', 'first.parquet', 'rows.jsonl', 'store', 'sub'].sort(),
  );
  const shown = await run('--run-id', 'one', '--output', at('all.parquet'));
  expect(shown.out).toContain('output     1 Parquet file\n');
  expect((await run('--run-id', 'two', '--output', at('two.csv'))).out).toContain('output     1 CSV file\n');
});

test('an output that cannot be used is refused before anything is planned', async () => {
  const { run, quarry, at, dir, directory } = await open();
  await writeFile(at('mine.csv'), 'precious');
  await mkdir(at('folder.csv'));
  const says = async (output: string, ...args: string[]) => {
    const { status, err } = await run('--output', output, ...args);
    expect(status).toBe(1);
    return err;
  };
  expect(await says(at('mine.csv'))).toContain(
    `Error: "${at('mine.csv')}" is there already. Name another file for the results, or move it away.\n(InvalidRunInputError)`,
  );
  expect(await says(at('folder.csv'))).toContain(
    `Error: "${at('folder.csv')}" is a folder, and a name with this ending is one file. Name another file for the results.`,
  );
  expect(await says(directory)).toContain(
    `Error: "${directory}" is not empty. Name an empty folder for the results.`,
  );
  expect(await says(at('mine.csv/below'))).toContain(
    `Error: The results cannot be put into "${at('mine.csv/below')}": `,
  );
  expect(await says('/proc/none/out.csv')).toContain(
    'Error: The results cannot be put into "/proc/none/out.csv": ',
  );
  expect(await says('')).toContain('Error: The name of the output is empty.');
  const data = join(directory, 'data');
  await mkdir(data);
  await writeFile(join(data, 'rows.jsonl'), ROWS);
  const within = await runQuarry('run', data, ...MODEL, '--dir', dir, '--output', join(data, 'out.parquet'));
  expect(within.err).toContain(
    `Error: The results cannot be put into "${join(data, 'out.parquet')}": it is within the dataset "${data}", and they would be data the next time. Name a place outside of it.`,
  );
  const file = join(data, '..', 'one.csv');
  await writeFile(file, 'topic\na\n');
  const beside = await runQuarry(
    'run',
    file,
    data,
    ...MODEL,
    '--dir',
    dir,
    '--output',
    join(data, 'out.parquet'),
  );
  expect(beside.err).toBe(within.err);
  expect((await quarry('runs')).out).toContain('There are no runs in');
  expect(await readFile(at('mine.csv'), 'utf8')).toBe('precious');
});

test('an output that is a run’s own is written again, and no other run’s', async () => {
  const { run, at, file, quarry } = await open();
  expect((await run('--run-id', 'one', '--output', at('out.csv'))).status).toBe(2);
  expect((await run('--run-id', 'one', '--output', at('out.csv'))).status).toBe(2);
  const other = await run('--run-id', 'two', '--output', at('out.csv'));
  expect(other.err).toContain(
    `Error: "${at('out.csv')}" is there already, and is not as run two has written it. Name another file for the results, or move it away.`,
  );
  expect((await quarry('runs', '--json')).out).not.toContain('"two","status": "succeeded"');
  await writeFile(at('out.csv'), 'changed by hand');
  expect((await run('--run-id', 'one', '--output', at('out.csv'))).status).toBe(1);
  expect(await readFile(at('out.csv'), 'utf8')).toBe('changed by hand');

  // Two that are under way do not share a place.
  const lib = new Quarry({ directory: at('store') });
  const stop = new AbortController();
  const request = { dataset: file, model: MODEL[1], prompt: '{a}!' };
  const first = lib.run(
    { ...request, run_id: 'early' },
    {
      output: at('shared'),
      signal: stop.signal,
      onProgress: ({ kind }) => kind === 'prepared' && stop.abort(),
    },
  );
  await expect(first.then(({ result }) => result)).rejects.toThrow('was stopped');
  await expect(lib.run({ ...request, run_id: 'late' }, { output: at('shared') })).rejects.toThrow(
    `The results of run early are to be put into "${at('shared')}" once it has ended. Name another place for those of run late.`,
  );
});

test('resume remembers where the results were to go, and can be told another place', async () => {
  const { at, file, quarry } = await open();
  const stopped = async (runId: string, output: string) => {
    const stop = new AbortController();
    const run = new Quarry({ directory: at('store') }).run(
      { dataset: file, model: MODEL[1] as string, prompt: '{a}', run_id: runId },
      { output, signal: stop.signal, onProgress: ({ kind }) => kind === 'prepared' && stop.abort() },
    );
    await expect(run.then(({ result }) => result)).rejects.toThrow('was stopped');
    expect(existsSync(output)).toBe(false);
  };
  await stopped('kept', at('kept.jsonl'));
  const { status, out } = await quarry('resume', 'kept', '--json');
  expect([status, JSON.parse(out).output_paths]).toEqual([2, [at('kept.jsonl')]]);
  expect((await readFile(at('kept.jsonl'), 'utf8')).trimEnd().split('\n')).toHaveLength(3);

  await stopped('moved', at('there'));
  const moved = await quarry('resume', 'moved', '--output', at('here'), '--json');
  expect(JSON.parse(moved.out).output_paths).toEqual([join(at('here'), 'p00001.parquet')]);
  expect(existsSync(at('there'))).toBe(false);
});

test('results that cannot be written at the end are safe, and the message has the command that gets them', async () => {
  const { at, file, dir, quarry } = await open();
  // In place of the unfinished file, which is written beside its place.
  const blocked = at(`.quarry-${process.pid}-my out.csv.tmp`);
  await mkdir(blocked);
  const args = ['--run-id', 'late', '--output', at('my out.csv')];
  const { status, err, out } = await runQuarry('run', file, ...MODEL, '--dir', dir, ...args, '--json');
  expect(status).toBe(1);
  expect(err).toContain(
    `Error: Run "late" has ended and its results are safe, in ${join(dir, 'quarry-local/runs/late/output')}/, but they could not be put where they were to go. "${at('my out.csv')}": EISDIR`,
  );
  const command = `quarry results late --output '${at('my out.csv')}' --dir ${dir}`;
  expect(err).toContain(`\nOnce that is mended, or with another place: ${command}\n(OutputNotWrittenError)`);
  expect(JSON.parse(out)).toMatchObject({ status: 'failed', error: 'OutputNotWrittenError', run_id: 'late' });
  expect((await quarry('status', 'late', '--json')).out).toContain('"status": "partly_succeeded"');
  expect((await quarry('results', 'late', '--output', at('other.csv'))).status).toBe(0);
  expect(existsSync(at('my out.csv'))).toBe(false);
});

test('options of results of which one would be passed over are refused', async () => {
  const { run, quarry, at } = await open();
  await run('--run-id', 'one');
  const says = async (...args: string[]) => {
    const { status, err } = await quarry('results', 'one', ...args);
    expect(status).toBe(1);
    return err;
  };
  expect(await says('--download', at('d'), '--failed', '--head', '2')).toContain(
    '--download takes all result files as they are, and --failed, --head would be passed over. For some of the rows: --output failed.csv, .jsonl or .parquet.',
  );
  expect(await says('--output', at('d'), '--failed')).toContain(
    `A folder gets all result files, and "${at('d')}" is one. For some of the rows name one file, such as ${at('d/rows.parquet')}, .csv or .jsonl.`,
  );
  expect(await says('--output', at('d.csv'), '--format', 'jsonl')).toContain(
    `"${at('d.csv')}" ends as a file of csv does, and the format is jsonl. Give the file another name, or leave the format out.`,
  );
  expect(await says('--output', at('d.csv'), '--format', 'table')).toContain('A table is for the terminal;');
  expect(await says('--format', 'parquet')).toContain(
    'Parquet is no text to print: give --output FILE beside',
  );
  expect(await says('--output', at('d.csv'), '--download', at('d'))).toContain('Give one of them.');
  expect([existsSync(at('d')), existsSync(at('d.csv'))]).toEqual([false, false]);
});

test('with --format, one file of any name has all rows', async () => {
  const { run, quarry, at } = await open();
  await run('--run-id', 'one');
  for (const format of ['csv', 'jsonl', 'parquet']) {
    expect(
      await quarry('results', 'one', '--output', at(`named-${format}`), '--format', format),
    ).toMatchObject({
      status: 0,
      out: `${at(`named-${format}`)} has the rows.\n`,
    });
    await quarry('results', 'one', '--output', at(`all.${format}`));
    expect(await readFile(at(`named-${format}`))).toEqual(await readFile(at(`all.${format}`)));
  }
});

test('killed while it writes, a command leaves no half file under the name', async () => {
  const rows = Array.from({ length: 4_000 }, (_, n) => `{"a":"${n} ${'long '.repeat(400)}"}\n`).join('');
  const { run, at, quarry, dir } = await open(rows);
  expect((await run('--run-id', 'large')).status).toBe(0);
  const isWriting = async () => (await readdir(at('.'))).some((name) => name.endsWith('-large.jsonl.tmp'));
  const killWhileItWrites = async () => {
    const writing = startQuarry('results', 'large', '--output', at('large.jsonl'), '--dir', dir);
    let hasEnded = false;
    void writing.ended.then(() => (hasEnded = true));
    while (!hasEnded && !(await isWriting())) await new Promise((resolve) => setTimeout(resolve, 1));
    writing.signal('SIGKILL');
    return writing.ended;
  };
  const expectWhole = async () =>
    expect((await readFile(at('large.jsonl'), 'utf8')).split('\n')).toHaveLength(4_001);
  // On a busy machine it may have the name already when the signal comes: then it is whole.
  while ((await killWhileItWrites()) !== 'SIGKILL' || existsSync(at('large.jsonl'))) {
    await expectWhole();
    await rm(at('large.jsonl'));
  }
  expect((await quarry('results', 'large', '--output', at('large.jsonl'))).status).toBe(0);
  await expectWhole();
  // Nor what it had written so far, once somebody writes there again.
  expect((await readdir(at('.'))).filter((name) => name.startsWith('.quarry-'))).toEqual([]);
});

test('on the bedrock and aws targets too, an output is looked at before anything is uploaded or started', async () => {
  const bedrock = await openBedrockWorld();
  const file = await bedrock.writeRows(120);
  const taken = join(bedrock.dir, 'taken.csv');
  await writeFile(taken, 'precious');
  const refused = await runQuarry('run', file, ...bedrock.flags, '--output', taken);
  expect([refused.status, refused.err]).toEqual([1, expect.stringContaining('is there already.')]);
  expect(bedrock.s3.objects.size).toBe(0);
  const own = join(bedrock.dir, 'own.csv');
  expect((await runQuarry('run', file, ...bedrock.flags, '--output', own)).status).toBe(0);
  expect((await readFile(own, 'utf8')).trimEnd().split('\n')).toHaveLength(121);
});

test('a run of a stack puts its results into one file, and starts nothing where they cannot be put', async () => {
  const world = await openStackWorld();
  const file = await world.writeRows(120);
  const run = (...args: string[]) =>
    runQuarry(
      'run',
      file,
      '--target',
      'aws',
      ...MODEL.slice(0, 2),
      '--prompt-template',
      '{n}',
      '--dir',
      world.dir,
      ...args,
    );
  const taken = join(world.dir, 'taken.parquet');
  await writeFile(taken, 'precious');
  expect((await run('--output', taken)).err).toContain(`"${taken}" is there already`);
  expect(world.executions.size).toBe(0);
  const own = join(world.dir, 'own.parquet');
  expect((await run('--output', own, '--run-id', 'mine')).status).toBe(0);
  expect(await readParquet(own)).toHaveLength(120);
  expect((await run('--output', own, '--run-id', 'mine')).status).toBe(0);
});
