import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { BUCKET, openBedrockWorld } from '../../support/bedrock-world.ts';
import { startPipedQuarry } from '../../support/quarry-process.ts';
import { runQuarry, runQuarryOn } from '../../support/run-quarry.ts';
import { openStackWorld } from '../../support/stack-world.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ASK = ['--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', 'Say {n}', '--run-id', 'mine'];
const ROWS = 'n\n1\n2\n';

/** A folder with these files, and the command line on a store beside them. */
async function open(files: Readonly<Record<string, string>> = {}) {
  const directory = await temporaryDirectory();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(directory, name, '..'), { recursive: true });
    await writeFile(join(directory, name), text);
  }
  const dir = join(directory, 'store');
  const at = (name: string) => join(directory, name);
  const run = (...args: string[]) => runQuarry('run', ...args, ...ASK, '--dir', dir);
  const pipe = (bytes: Iterable<Uint8Array | string>, ...args: string[]) =>
    runQuarryOn(Readable.from(bytes, { objectMode: false }), 'run', '-', ...args, ...ASK, '--dir', dir);
  const numbers = async () =>
    (await runQuarry('results', 'mine', '--format', 'jsonl', '--dir', dir)).out
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { n: string }).n);
  /** What there is of the store: nothing, where a dataset was refused. */
  const kept = async () => {
    const names = await readdir(dir, { recursive: true }).catch(() => []);
    return names.filter((name) => /quarry-local|rows-/.test(name));
  };
  return { directory, dir, at, run, pipe, numbers, kept };
}

describe('the standard input', () => {
  test.each([
    ['csv', Buffer.from(ROWS)],
    ['csv', gzipSync(ROWS)],
    ['csv', zstdCompressSync(ROWS)],
    ['jsonl', Buffer.from('{"n":1}\n{"n":2}\n')],
    ['json', Buffer.from('[{"n":1},{"n":2}]')],
  ])(
    'is a dataset of %s, packed or not, however it is cut; the same content is the same run',
    async (format, bytes) => {
      const { pipe, numbers, kept } = await open();
      const first = await pipe([bytes], '--format', format, '--json');
      expect(first.status, first.err).toBe(0);
      expect(await numbers()).toEqual(['1', '2']);
      const singles = [...bytes].map((byte) => Buffer.from([byte]));
      const again = await pipe(singles, '--format', format, '--json');
      expect(JSON.parse(again.out).ended_at).toBe(JSON.parse(first.out).ended_at);
      const other = await pipe([Buffer.from(ROWS), Buffer.from('3\n')], '--format', 'csv');
      expect(other.err).toContain('Run "mine" exists, with another input: s3_uri');
      expect((await kept()).filter((name) => name.includes('rows-'))).toEqual([]);
    },
  );

  test.each([
    [
      ['--format', 'csv'],
      '',
      'The dataset is empty: its stream ended without a byte.\n(InvalidDatasetError)',
    ],
    [
      [],
      ROWS,
      'A stream of bytes has no name that says what is in it. Say it with --format: csv, tsv, jsonl, json, parquet.\n(InvalidDatasetError)',
    ],
    [
      ['a.csv', '--format', 'csv'],
      ROWS,
      'DATASET "-" is the standard input, and goes alone. A file of that name is ./-.\n(InvalidRunInputError)',
    ],
  ])('is refused with %j of "%s", and nothing is kept of it', async (args, text, message) => {
    const { pipe, kept } = await open();
    const { status, err } = await pipe([text], ...args);
    expect([status, err]).toEqual([1, `Error: ${message}\n`]);
    expect(await kept()).toEqual([]);
  });

  test('that is a terminal is refused, and not read', async () => {
    const { dir, kept } = await open();
    const terminal = Object.assign(new Readable({ read: () => expect.unreachable() }), { isTTY: true });
    const { status, err } = await runQuarryOn(terminal, 'run', '-', '--format', 'csv', ...ASK, '--dir', dir);
    expect([status, err]).toEqual([
      1,
      'Error: DATASET "-" is the standard input, and that is a terminal. Pipe a file into it: … | quarry run - --format csv.\n(InvalidRunInputError)\n',
    ]);
    expect(await kept()).toEqual([]);
  });

  test('that goes on and on is not held in memory, and is left by Ctrl-C, with nothing kept of it', async () => {
    const { dir, kept } = await open();
    const quarry = startPipedQuarry('run', '-', '--format', 'csv', ...ASK, '--dir', dir);
    const chunk = Buffer.alloc(1024 ** 2, 'a row of some length as rows are\n');
    const send = async (chunks: number) => {
      for (let sent = 0; sent < chunks; sent += 1) {
        if (!quarry.input.write(chunk)) await once(quarry.input, 'drain');
      }
    };
    await send(20);
    const before = await mostKilobytes(quarry.pid);
    await send(180);
    expect((await mostKilobytes(quarry.pid)) - before).toBeLessThan(90_000);
    expect(await kept()).not.toEqual([]);
    quarry.input.on('error', () => {});
    quarry.signal('SIGINT');
    expect(await quarry.ended).toBe(130);
    expect(quarry.err()).toContain('Stopped: Nothing was sent yet. The same command starts the run again.');
    expect(await kept()).toEqual([]);
  });

  test('goes to a bucket by way of this machine’s disk, and to the stack', async () => {
    const world = await openStackWorld();
    const piped = (...args: string[]) =>
      runQuarryOn(Readable.from([ROWS], { objectMode: false }), 'run', '-', '--format', 'csv', ...args);
    const here = await piped(...world.flags, '--run-id', 'here', '--json');
    expect(here.status, here.err).toBe(0);
    const [{ uri }] = JSON.parse(here.out).dataset_files;
    expect(uri).toMatch(new RegExp(`^s3://${BUCKET}/datasets/[0-9a-f]{16}/stream\\.csv$`));
    expect(here.err).toMatch(/Z Uploaded stream\.csv: /m);
    const there = await piped(...ASK, '--target', 'aws', '--dir', world.dir, '--json');
    expect(there.status, there.err).toBe(0);
    expect(JSON.parse(there.out).dataset_files[0].uri).toBe(uri);
    const puts = world.s3.requests.filter(
      ({ method, path }) => method === 'PUT' && path.includes('/datasets/'),
    );
    expect(puts).toHaveLength(1);
    expect(await readdir(join(world.dir, '.scratch'), { recursive: true })).not.toContainEqual(
      expect.stringContaining('rows-'),
    );
  });
});

describe('several paths', () => {
  const FILES = {
    'b.csv': 'n\nb\n',
    'a.csv': 'n\na\n',
    'more/_c.csv': 'n\nc\n',
    'more/d.csv': 'n\nd\n',
    'more/x.jsonl': '{"n":1}\n',
    'p1/e.csv': 'n\nwrong\n',
    'p[1]/e.csv': 'n\ne\n',
    '-': 'n\n-\n',
  };

  test.each([
    ['in their order', ['b.csv', 'a.csv'], ['b', 'a']],
    ['with all that is below a folder', ['b.csv', 'p[1]'], ['b', 'e']],
    ['as a pattern, by name, without hidden files', ['more/*.csv'], ['d']],
    ['as a pattern that asks for what is hidden', ['more/_*.csv'], ['c']],
    ['as a pattern of folders', ['**/d.csv'], ['d']],
    ['beside a pattern', ['b.csv', 'more/*.csv', 'a.csv'], ['b', 'd', 'a']],
    ['as a pattern below a folder whose name looks like one', ['p[1]/*.csv'], ['e']],
    ['that look like a pattern and are there', ['p[1]/e.csv', 'b.csv'], ['e', 'b']],
  ])('are one dataset: %s', async (_, paths, expected) => {
    const { at, run, numbers } = await open(FILES);
    const { status, err } = await run(...paths.map(at));
    expect(status, err).toBe(0);
    expect(await numbers()).toEqual(expected);
  });

  test.each([
    [
      ['a.csv', '*.csv'],
      '"{a.csv}" is in the dataset twice: its rows would be sent, and paid for, twice. Name it once.',
    ],
    [
      ['a.csv', 'more/x.jsonl'],
      'The dataset mixes formats: {a.csv} is csv, {more/x.jsonl} is jsonl. Give files of one format.',
    ],
    [
      ['a.csv', 'q.csv'],
      'There is no file or folder "{q.csv}". DATASET is a local path, s3://bucket/key or hf:owner/name.',
    ],
    [
      ['q*.csv'],
      'There is no file or folder "{q*.csv}", and no file that it matches as a pattern. DATASET is a local path, s3://bucket/key or hf:owner/name.',
    ],
  ])('are refused: %j', async (paths, message) => {
    const { at, run, kept } = await open(FILES);
    const { status, err } = await run(...paths.map(at));
    const text = message.replaceAll(/\{(.*?)\}/g, (_, name: string) => at(name));
    expect([status, err]).toEqual([1, `Error: ${text}\n(InvalidDatasetError)\n`]);
    expect(await kept()).toEqual([]);
  });

  test('cannot be of S3', async () => {
    const { at, run, kept } = await open(FILES);
    const { status, err } = await run(at('a.csv'), 's3://bucket/b.csv');
    expect([status, err]).toEqual([
      1,
      'Error: "s3://bucket/b.csv" cannot be one of several: these are paths of this machine. Of S3, name one prefix or pattern, like s3://bucket/folder/*.csv.\n(InvalidDatasetError)\n',
    ]);
    expect(await kept()).toEqual([]);
  });

  test('are named by the user’s own names in what is refused later', async () => {
    const { at, run } = await open({ ...FILES, 'other.csv': 'm\n1\n' });
    const { status, err } = await run(at('a.csv'), at('other.csv'));
    expect(status).toBe(1);
    expect(err).toContain(`n (VARCHAR) only in ${at('a.csv')}, m (VARCHAR) only in ${at('other.csv')}`);
  });

  test('in a document lie beside it', async () => {
    const { at, run, numbers } = await open({
      ...FILES,
      'p[1]/run.json': JSON.stringify({ dataset: ['*.csv', '../a.csv'] }),
    });
    const { status, err } = await run('--input', at('p[1]/run.json'));
    expect(status, err).toBe(0);
    expect(await numbers()).toEqual(['e', 'a']);
  });

  test('go to a bucket, and moved they are the same dataset', async () => {
    const world = await openBedrockWorld();
    const { at } = await open({
      'a.csv': 'n\na\n',
      'b.csv': 'n\nb\n',
      'moved/a.csv': 'n\na\n',
      'moved/b.csv': 'n\nb\n',
    });
    const flags = [...world.flags, '--run-id', 'mine', '--json'];
    const first = await runQuarry('run', at('b.csv'), at('a.csv'), ...flags);
    expect(first.status, first.err).toBe(0);
    const again = await runQuarry('run', at('moved/b.csv'), at('moved/a.csv'), ...flags);
    expect(JSON.parse(again.out).ended_at).toBe(JSON.parse(first.out).ended_at);
    const other = await runQuarry('run', at('a.csv'), at('b.csv'), ...flags);
    expect(other.err).toContain('Run "mine" exists, with another input');
  });
});

describe('a pattern in S3', () => {
  test('stands for the objects that it matches, where none has it as its key', async () => {
    const world = await openBedrockWorld();
    for (const [key, text] of [
      ['in/a.csv', 'n\na\n'],
      ['in/b.csv', 'n\nb\n'],
      ['in/_c.csv', 'n\nhidden\n'],
      ['in/deep/d.csv', 'n\nd\n'],
      ['in/b[1].csv', 'n\nliteral\n'],
      ['in/b1.csv', 'n\nwrong\n'],
    ] as const) {
      world.s3.objects.set(`${BUCKET}/${key}`, Buffer.from(text));
    }
    const rows = async (uri: string) => {
      const { status, out, err } = await runQuarry('plan', `s3://${BUCKET}/${uri}`, ...world.flags, '--json');
      return status === 0 ? JSON.parse(out).dataset_rows : err;
    };
    expect(await rows('in/?.csv')).toBe(2);
    expect(await rows('in/**/d.csv')).toBe(1);
    expect(await rows('in/_*.csv')).toBe(1);
    expect(await rows('in/b[1].csv')).toBe(1);
    expect(await rows('in/q*.csv')).toBe(
      `Error: There is no object s3://${BUCKET}/in/q*.csv, none below s3://${BUCKET}/in/q*.csv/, and none that it matches as a pattern.\n(InvalidDatasetError)\n`,
    );
    const { status, out, err } = await runQuarry(
      'run',
      `s3://${BUCKET}/in/[ab].csv`,
      ...world.flags,
      '--json',
    );
    expect(status, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ rows: { succeeded: 2 } });
  });
});

/** The most memory that a process has had so far. */
async function mostKilobytes(pid: number): Promise<number> {
  return Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
