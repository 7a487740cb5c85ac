import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import {
  InvalidDatasetError,
  InvalidRunInputError,
  Quarry,
  type QuarryEvent,
  RunStoppedError,
  runIdOf,
} from '../../src/index.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const MODEL = 'us.amazon.nova-lite-v1:0';

/** The library on a folder of its own. */
async function openQuarry() {
  const directory = await temporaryDirectory();
  return { directory, quarry: new Quarry({ directory: join(directory, 'store') }) };
}

/** Rows without end, or so many. */
async function* reviews(count = Number.POSITIVE_INFINITY) {
  for (let id = 1; id <= count; id += 1) yield { id, review: `Review number ${id}` };
}

const REQUEST = { model: MODEL, prompt: 'Good or bad? {review}' };

describe('a run', () => {
  test('tells of itself by events, ends with its summary, and gives its rows back', async () => {
    const { quarry } = await openQuarry();
    const heard: QuarryEvent['kind'][] = [];
    const run = await quarry.run(
      { ...REQUEST, dataset: reviews(150), run_id: 'reviews' },
      { onProgress: ({ kind }) => heard.push(kind) },
    );
    expect(run.id).toBe('reviews');
    expect(run.plan).toMatchObject({ run_id: 'reviews', selected_rows: 150 });

    const events = await Array.fromAsync(run);
    expect(events.map(({ kind }) => kind)).toEqual(heard);
    expect(heard).toEqual(expect.arrayContaining(['planned', 'prepared', 'dispatched', 'job', 'collected']));
    expect(await run.result).toMatchObject({ status: 'succeeded', rows: { total: 150, succeeded: 150 } });

    const rows = await Array.fromAsync(quarry.results<{ id: string; response: string }>(run));
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 150 }, (_, index) => `${index + 1}`));
    expect(rows.every(({ response, error_code }) => response !== '' && error_code === null)).toBe(true);
    expect(await Array.fromAsync(quarry.results(run.id, { head: 2 }))).toEqual(rows.slice(0, 2));

    const files = await quarry.files(run);
    expect(await run.files).toEqual(files);
    expect((await readFile(files[0] ?? '')).subarray(0, 4).toString()).toBe('PAR1');
  });

  test('of the same rows is the same run, which does no work twice', async () => {
    const { quarry } = await openQuarry();
    const first = await quarry.run({ ...REQUEST, dataset: reviews(3) });
    const { ended_at } = await first.result;
    const again = await quarry.run({ ...REQUEST, dataset: await Array.fromAsync(reviews(3)) });
    expect(again.id).toBe(first.id);
    expect((await again.result).ended_at).toBe(ended_at);
    expect((await quarry.runs()).runs.map(({ run_id }) => run_id)).toEqual([first.id]);
  });

  test('puts its results into a folder, and refuses one that is not free before anything is sent', async () => {
    const { quarry, directory } = await openQuarry();
    const output = join(directory, 'results');
    const run = await quarry.run({ ...REQUEST, dataset: reviews(3) }, { output });
    expect(await run.files).toEqual([join(output, 'p00001.parquet')]);
    const other = quarry.run({ ...REQUEST, dataset: reviews(4), run_id: 'other' }, { output });
    await expect(other).rejects.toMatchObject({
      name: 'InvalidRunInputError',
      message: `"${output}" has the results of run ${run.id}. Name another folder for those of run other.`,
    });
    expect((await quarry.status('other')).kind).toBe('unfinished');
  });

  test('writes whole numbers of any size with all their digits', async () => {
    const { quarry } = await openQuarry();
    const run = await quarry.run({ ...REQUEST, dataset: [{ review: 9_007_199_254_740_993n }] });
    await run.result;
    expect(await Array.fromAsync(quarry.results(run))).toMatchObject([{ review: '9007199254740993' }]);
  });
});

describe('a signal', () => {
  test('stops a run cleanly, by a named error that says which; resume goes on', async () => {
    const { quarry } = await openQuarry();
    const stop = new AbortController();
    const run = await quarry.run(
      { ...REQUEST, dataset: reviews(150), run_id: 'stopped' },
      {
        signal: stop.signal,
        onProgress: ({ kind }) => {
          if (kind === 'dispatched') stop.abort(new Error('Enough.'));
        },
      },
    );
    const error = await run.result.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RunStoppedError);
    expect(error).toMatchObject({ name: 'RunStoppedError', cause: new Error('Enough.') });
    expect(runIdOf(error)).toBe('stopped');
    await expect(Array.fromAsync(run)).rejects.toBe(error);
    expect(await quarry.status(run)).toMatchObject({
      kind: 'unfinished',
      progress: { status: 'stopped', process: null },
    });
    await expect(quarry.files(run)).rejects.toThrow('Run "stopped" has not ended yet.');

    const resumed = await quarry.resume('stopped');
    expect(await resumed.result).toMatchObject({ status: 'succeeded', jobs: 1, rows: { succeeded: 150 } });
  });

  test('stops the reading of rows that never end, and nothing is sent', async () => {
    const { quarry } = await openQuarry();
    const stop = AbortSignal.timeout(200);
    const run = quarry.run({ ...REQUEST, dataset: reviews() }, { signal: stop });
    await expect(run).rejects.toThrow(
      new RunStoppedError('The run was stopped before it was planned: nothing was sent.'),
    );
    expect((await quarry.runs()).runs).toEqual([]);
  });

  test('stops the reading of rows of which the next one never comes', async () => {
    const { quarry } = await openQuarry();
    async function* stuck() {
      yield { id: 1, text: 'one' };
      await new Promise(() => {});
    }
    const run = quarry.run({ ...REQUEST, dataset: stuck() }, { signal: AbortSignal.timeout(200) });
    await expect(run).rejects.toThrow(RunStoppedError);
    expect((await quarry.runs()).runs).toEqual([]);
  });

  test('that was aborted before stops everything at once', async () => {
    const { quarry } = await openQuarry();
    await expect(
      quarry.run({ ...REQUEST, dataset: reviews(1) }, { signal: AbortSignal.abort() }),
    ).rejects.toThrow(RunStoppedError);
  });

  test('what onProgress throws stops the run, and is what it fails with', async () => {
    const { quarry } = await openQuarry();
    const mistake = new TypeError('a mistake of the caller');
    const run = quarry.run(
      { ...REQUEST, dataset: reviews(1) },
      {
        onProgress: () => {
          throw mistake;
        },
      },
    );
    await expect(run).rejects.toBe(mistake);
  });
});

test('a run is cancelled from another place, and resumed', async () => {
  const { quarry } = await openQuarry();
  let cancelling: ReturnType<Quarry['cancel']> | undefined;
  const run = await quarry.run(
    { ...REQUEST, dataset: reviews(150), run_id: 'cancelled' },
    {
      onProgress: ({ kind }) => {
        if (kind === 'dispatched') cancelling ??= quarry.cancel('cancelled');
      },
    },
  );
  expect((await run.result).status).toBe('cancelled');
  expect(await cancelling).toMatchObject({ kind: 'cancelled', summary: { run_id: 'cancelled' } });
  expect(await quarry.cancel(run)).toMatchObject({ kind: 'ended', summary: { status: 'cancelled' } });
  expect(await (await quarry.resume(run)).result).toMatchObject({ rows: { succeeded: 150 } });
});

test('a plan says what a run would cost, and makes none', async () => {
  const { quarry, directory } = await openQuarry();
  const file = join(directory, 'reviews.csv');
  await writeFile(file, 'id,review\n1,fine\n');
  expect(await quarry.plan({ ...REQUEST, dataset: file })).toMatchObject({ rows: 1, on_demand_rows: 1 });
  expect(await quarry.runs()).toEqual({ at: 'local', runs: [] });
});

describe('what cannot be done is refused by name, before anything is sent', () => {
  test.each([
    [{ buckt: 'b' }, 'The options are not valid.\n  - "buckt" is not an option (did you mean "bucket"?)'],
    [{ pollSeconds: 0 }, 'pollSeconds must be a whole number from 1'],
    [{ directory: 7 }, 'directory must be a text'],
    [null, "The options are an object, like { target: 'local' }."],
  ])('options %j', (options, message) => {
    expect(() => new Quarry(options as never)).toThrow(InvalidRunInputError);
    expect(() => new Quarry(options as never)).toThrow(message);
  });

  test('options of another target', async () => {
    const { directory } = await openQuarry();
    const quarry = new Quarry({ directory, roleArn: 'arn:aws:iam::123456789012:role/r' });
    await expect(quarry.runs()).rejects.toThrow(
      new InvalidRunInputError(
        "roleArn goes with target: 'bedrock', and this is target: 'local'. Add target: 'bedrock', or leave it out.",
      ),
    );
    await expect(new Quarry({ directory, target: 'moon' as never }).runs()).rejects.toThrow(
      'target "moon" is unknown. Targets: local, bedrock, aws.',
    );
  });

  test.each([
    [undefined, 'A request is an object, like'],
    [
      { ...REQUEST, dataset: 7 },
      'dataset must be a path or several, s3://bucket/key, hf:owner/name, an iterable of rows, or a stream of bytes.',
    ],
    [{ ...REQUEST, dataset: 'x', model_id: MODEL }, 'gives both model and model_id, which mean the same'],
    [
      { ...REQUEST, dataset: [Buffer.from('a')] },
      'The dataset is an iterable of bytes, not of rows. Give bytes as a stream, with their format: Readable.from(bytes, { objectMode: false }).',
    ],
    [
      { ...REQUEST, dataset: Readable.from(['a'], { objectMode: false }) },
      'A stream of bytes has no name that says what is in it. Say it with format: csv, tsv, jsonl, json, parquet.',
    ],
    [{ ...REQUEST, dataset: ['a.csv', 7] }, 'Row 1 of the dataset is not an object'],
    [{ ...REQUEST, dataset: 'nowhere.csv' }, 'There is no file or folder "nowhere.csv"'],
    [{ ...REQUEST, dataset: reviews(1), promt: 'x' }, '"promt" is not a key of a run input'],
  ])('the request %#', async (request, message) => {
    const { quarry } = await openQuarry();
    await expect(quarry.run(request as never)).rejects.toThrow(message);
    expect((await quarry.runs()).runs).toEqual([]);
  });

  test.each([
    [[], 'The dataset has no rows.'],
    [[{ review: 'a' }, 'b'], 'Row 2 of the dataset is not an object: a row is { column: value, … }.'],
    [
      [
        {
          review: {
            toJSON: () => {
              throw new Error('no');
            },
          },
        },
      ],
      'Row 1 of the dataset cannot be written as JSON: no',
    ],
  ])('rows %#', async (dataset, message) => {
    const { quarry } = await openQuarry();
    await expect(quarry.run({ ...REQUEST, dataset: dataset as never })).rejects.toThrow(
      new InvalidDatasetError(message),
    );
  });

  test('a run that there is not', async () => {
    const { quarry } = await openQuarry();
    await expect(quarry.status('none')).rejects.toThrow('There is no run "none"');
    await expect(quarry.resume('none')).rejects.toThrow('There is no run "none"');
    await expect(Array.fromAsync(quarry.results('none'))).rejects.toThrow('There is no run "none"');
    await expect(quarry.follow('none')).rejects.toThrow('There is no run "none"');
    await expect(quarry.cancel('none', { now: true })).rejects.toThrow("now needs target: 'aws'");
  });
});
