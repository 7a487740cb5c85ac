import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { resolveHubDataset } from '../../src/hub/resolve-dataset.ts';
import { type ConversionDouble, startHubDouble } from './hub-double.ts';
import { accessTo, requestFor } from './hub-fixture.ts';

const SHARDS = Object.fromEntries(
  Array.from({ length: 9 }, (_, i) => [`data/train-0000${i}-of-00009.parquet`, `PAR1 shard ${i}`]),
);

const TWO_CONFIGS = `---
license: mit
configs:
- config_name: en
  data_files:
  - split: train
    path: en/*.jsonl
  - split: holdout
    path: [en-holdout/a.jsonl]
- config_name: fr
  data_dir: fr
---
# Text
`;
const TWO_CONFIGS_FILES = {
  'README.md': TWO_CONFIGS,
  'en/b.jsonl': '{"a":1}\n',
  'en/a.jsonl': '{"a":2}\n',
  'en-holdout/a.jsonl': '{"a":3}\n',
  'fr/test.csv': 'a\n1\n',
  'fr/train.csv': 'a\n2\n',
};

const ARRAY_JSON = { 'data.json': '[\n  [1],\n  [2]\n]\n' };

describe('files of the dataset itself', () => {
  test('shards of the usual naming are the split, in their order, pinned to the commit', async () => {
    await using hub = await startHubDouble({
      'w601sxs/simpleCoT': { files: { ...SHARDS, 'README.md': '# hi' } },
    });
    const dataset = await resolveHubDataset(requestFor('w601sxs/simpleCoT'), accessTo(hub));
    expect(dataset).toMatchObject({
      datasetId: 'w601sxs/simpleCoT',
      commit: hub.commitOf('w601sxs/simpleCoT'),
      filesCommit: hub.commitOf('w601sxs/simpleCoT'),
      configName: 'default',
      split: 'train',
      origin: 'files',
      format: 'parquet',
    });
    expect(dataset.files.map(({ path }) => path)).toEqual(Object.keys(SHARDS));
    expect(dataset.files[0]).toEqual({
      path: 'data/train-00000-of-00009.parquet',
      bytes: 12,
      etag: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('a repository over many pages is listed whole, even where the pages name the public Hub', async () => {
    await using hub = await startHubDouble({ 'o/d': { files: SHARDS } }, { pageSize: 4 });
    const dataset = await resolveHubDataset(requestFor('o/d'), accessTo(hub));
    expect(dataset.files).toHaveLength(9);
    expect(hub.seen.filter(({ path }) => path.includes('/tree/'))).toHaveLength(3);
  });

  test('a set of shards with a gap is refused', async () => {
    const { 'data/train-00004-of-00009.parquet': _, ...gap } = SHARDS;
    await using hub = await startHubDouble({ 'o/d': { files: gap } });
    await expect(resolveHubDataset(requestFor('o/d'), accessTo(hub))).rejects.toMatchObject({
      name: 'InvalidDatasetError',
      message: expect.stringContaining('lacks 1 of its 9 files, the first of them number 4'),
    });
  });

  test('a config of the card is read by its patterns, and another by its folder', async () => {
    await using hub = await startHubDouble({ 'o/d': { files: TWO_CONFIGS_FILES } });
    const english = await resolveHubDataset(requestFor('o/d', { configName: 'en' }), accessTo(hub));
    expect(english).toMatchObject({ configName: 'en', format: 'jsonl' });
    expect(english.files.map(({ path }) => path)).toEqual(['en/a.jsonl', 'en/b.jsonl']);
    const holdout = requestFor('o/d', { configName: 'en', split: 'holdout' });
    expect((await resolveHubDataset(holdout, accessTo(hub))).files.map(({ path }) => path)).toEqual([
      'en-holdout/a.jsonl',
    ]);
    const french = await resolveHubDataset(requestFor('o/d', { configName: 'fr' }), accessTo(hub));
    expect(french.files.map(({ path }) => path)).toEqual(['fr/train.csv']);
  });

  test('several configs, none asked for and no default: all are listed', async () => {
    await using hub = await startHubDouble({ 'o/d': { files: TWO_CONFIGS_FILES } });
    await expect(resolveHubDataset(requestFor('o/d'), accessTo(hub))).rejects.toMatchObject({
      name: 'InvalidRunInputError',
      message:
        'The dataset "o/d" has several configs and no default: give config_name. It is one of: en, fr.',
    });
  });

  test.each([
    ['default: true', TWO_CONFIGS.replace('data_dir: fr', 'data_dir: fr\n  default: true'), 'fr'],
    ['the name "default"', TWO_CONFIGS.replace('config_name: en', 'config_name: default'), 'default'],
    ['being the only one', TWO_CONFIGS.replace(/- config_name: fr\n {2}data_dir: fr\n/, ''), 'en'],
  ])('of several configs one is taken unasked by %s', async (_, readme, expected) => {
    await using hub = await startHubDouble({
      'o/d': { files: { ...TWO_CONFIGS_FILES, 'README.md': readme } },
    });
    const dataset = await resolveHubDataset(requestFor('o/d'), accessTo(hub));
    expect(dataset.configName).toBe(expected);
  });

  test('a config or split that is not there is refused with those there are', async () => {
    await using hub = await startHubDouble({ 'o/d': { files: TWO_CONFIGS_FILES } });
    const refusal = (changes: object) =>
      resolveHubDataset(requestFor('o/d', changes), accessTo(hub)).catch((error: Error) => error);
    expect(await refusal({ configName: 'eng' })).toMatchObject({
      name: 'InvalidRunInputError',
      message: 'The dataset "o/d" has no config "eng" (did you mean "en"?). Its configs: en, fr.',
    });
    expect(await refusal({ configName: 'fr', split: 'validation' })).toMatchObject({
      name: 'InvalidRunInputError',
      message: 'The config "fr" of the dataset "o/d" has no split "validation". Its splits: train, test.',
    });
    expect(await refusal({ configName: 'fr', split: 'train[:10%]' })).toMatchObject({
      message: expect.stringContaining('A split is taken whole; max_records takes its first rows.'),
    });
  });

  test('two formats in one split are refused with a file of each', async () => {
    await using hub = await startHubDouble({
      'o/d': { files: { 'train.csv': 'a\n', 'train.jsonl': '{}\n', 'test.csv': '' } },
    });
    await expect(resolveHubDataset(requestFor('o/d'), accessTo(hub))).rejects.toMatchObject({
      name: 'InvalidDatasetError',
      message: expect.stringContaining('mixes formats: csv (train.csv), jsonl (train.jsonl)'),
    });
    const test = await resolveHubDataset(requestFor('o/d', { split: 'test' }), accessTo(hub));
    expect(test.files.map(({ path }) => path)).toEqual(['test.csv']);
  });

  test('a .json file with a record a line is JSON Lines, plain and compressed', async () => {
    const lines = `${'{"a":1}\n'.repeat(20_000)}`;
    await using hub = await startHubDouble({
      'o/plain': { files: { 'train.json': lines } },
      'o/gzip': { files: { 'train.json.gz': gzipSync(lines) } },
    });
    for (const id of ['o/plain', 'o/gzip']) {
      expect((await resolveHubDataset(requestFor(id), accessTo(hub))).format).toBe('jsonl');
    }
    expect(hub.seen.filter(({ headers }) => headers.range === 'bytes=0-65535').length).toBeGreaterThan(0);
  });

  test('a server without ranges is asked for the start of a .json file, and stopped there', async () => {
    await using hub = await startHubDouble({
      'o/d': { files: { 'train.json': '{"a":1}\n'.repeat(90_000) } },
    });
    hub.fail(/resolve-cache.*train\.json/, { kind: 'ignore_range' });
    expect((await resolveHubDataset(requestFor('o/d'), accessTo(hub))).format).toBe('jsonl');
  });

  test('a card that cannot be read is refused: its configs could mean other files', async () => {
    const files = { 'README.md': '---\nconfigs: [oops\n---\n', 'train.csv': 'a\n' };
    await using hub = await startHubDouble({ 'o/d': { files } });
    await expect(resolveHubDataset(requestFor('o/d'), accessTo(hub))).rejects.toMatchObject({
      name: 'InvalidDatasetError',
      message: expect.stringContaining('README.md of the dataset "o/d" cannot be read'),
    });
  });
});

describe('the Parquet conversion', () => {
  const conversion = (changes: Partial<ConversionDouble> = {}): ConversionDouble => ({
    files: {
      'default/train/0001.parquet': 'PAR1b',
      'default/train/0000.parquet': 'PAR1a',
      '.gitattributes': '',
    },
    ...changes,
  });

  test('stands in for a dataset that has no files we read', async () => {
    await using hub = await startHubDouble({ 'o/d': { files: ARRAY_JSON, conversion: conversion() } });
    const dataset = await resolveHubDataset(requestFor('o/d'), accessTo(hub));
    expect(dataset).toMatchObject({
      origin: 'parquet_conversion',
      format: 'parquet',
      commit: hub.commitOf('o/d'),
    });
    expect(dataset.filesCommit).not.toBe(dataset.commit);
    expect(dataset.files.map(({ path }) => path)).toEqual([
      'default/train/0000.parquet',
      'default/train/0001.parquet',
    ]);
  });

  test.each([
    [
      'a folder of pictures with one table',
      { 'train/1.png': '', 'train/2.png': '', 'train/metadata.csv': '' },
    ],
    ['a loading script', { 'd.py': 'import datasets', 'train.csv': 'a\n' }],
    [
      'a config with settings of the library',
      {
        'README.md': '---\nconfigs:\n- config_name: default\n  data_files: a.csv\n  names: [a, b]\n---\n',
        'a.csv': '',
      },
    ],
    [
      'a config with files elsewhere',
      {
        'README.md':
          '---\nconfigs:\n- config_name: default\n  data_files: "https://example.com/a.csv"\n---\n',
        'a.csv': '',
      },
    ],
    [
      'a config whose file is not there',
      { 'README.md': '---\nconfigs:\n- config_name: default\n  data_files: gone.csv\n---\n', 'a.csv': '' },
    ],
    [
      'a config without tables',
      { 'README.md': '---\nconfigs:\n- config_name: default\n  data_files: "*.arrow"\n---\n', 'a.arrow': '' },
    ],
    ['an empty repository', {}],
  ])('is taken for %s', async (_, files) => {
    await using hub = await startHubDouble({ 'o/d': { files, conversion: conversion() } });
    expect(await resolveHubDataset(requestFor('o/d'), accessTo(hub))).toMatchObject({
      origin: 'parquet_conversion',
    });
  });

  test('is not asked for where the dataset has its own files, be it partial or not', async () => {
    const partial = conversion({ files: { 'default/partial-train/0000.parquet': 'PAR1' }, partial: true });
    await using hub = await startHubDouble({ 'o/d': { files: SHARDS, conversion: partial } });
    expect(await resolveHubDataset(requestFor('o/d'), accessTo(hub))).toMatchObject({ origin: 'files' });
    expect(hub.seen.some(({ origin }) => origin === 'viewer')).toBe(false);
  });

  test.each<[string, Partial<ConversionDouble>, string]>([
    ['partial by its folder', { files: { 'default/partial-train/0000.parquet': 'PAR1' } }, 'is partial'],
    ['partial by the viewer', { partial: true }, 'is partial'],
    ['of another commit', { madeFrom: 'f'.repeat(40) }, `was made from commit ${'f'.repeat(40)}`],
    ['of an unknown commit', { madeFrom: '' }, 'was made from an unknown commit'],
    ['still being made', { viewerError: { status: 500, code: 'ResponseNotReady' } }, 'ResponseNotReady'],
    [
      'short of a file that the viewer tells of',
      { listed: [{ split: 'train', size: 5 }] },
      'it is being made again',
    ],
    ['empty', { files: {} }, 'is empty'],
  ])('is refused where it is %s', async (_, changes, message) => {
    await using hub = await startHubDouble({ 'o/d': { files: ARRAY_JSON, conversion: conversion(changes) } });
    await expect(resolveHubDataset(requestFor('o/d'), accessTo(hub))).rejects.toMatchObject({
      name: 'InvalidDatasetError',
      message: expect.stringContaining(message),
    });
  });

  test('where there is none, the error says why the files cannot be read either', async () => {
    await using hub = await startHubDouble({ 'o/d': { files: ARRAY_JSON } });
    await expect(resolveHubDataset(requestFor('o/d'), accessTo(hub))).rejects.toMatchObject({
      name: 'InvalidDatasetError',
      message: expect.stringMatching(
        /data\.json is a list of other things than objects; and the Hub has made no Parquet conversion/,
      ),
    });
  });

  test('is refused where no viewer can vouch for it', async () => {
    await using hub = await startHubDouble({ 'o/d': { files: ARRAY_JSON, conversion: conversion() } });
    const { viewerEndpoint: _, ...access } = accessTo(hub);
    await expect(resolveHubDataset(requestFor('o/d'), access)).rejects.toThrow(
      'no dataset viewer beside HF_ENDPOINT',
    );
  });

  test('lists its configs and splits, and more than 10,000 files in the order of their rows', async () => {
    const files = {
      'b/train-part1/0000.parquet': '3',
      'b/train-part0/0001.parquet': '2',
      'b/train-part0/0000.parquet': '1',
      'a/test/0000.parquet': '4',
    };
    await using hub = await startHubDouble({ 'o/d': { files: {}, conversion: { files } } });
    await expect(resolveHubDataset(requestFor('o/d'), accessTo(hub))).rejects.toThrow('It is one of: b, a.');
    await expect(resolveHubDataset(requestFor('o/d', { configName: 'a' }), accessTo(hub))).rejects.toThrow(
      'Its splits: test.',
    );
    const dataset = await resolveHubDataset(requestFor('o/d', { configName: 'b' }), accessTo(hub));
    expect(dataset.files.map(({ path }) => path)).toEqual([
      'b/train-part0/0000.parquet',
      'b/train-part0/0001.parquet',
      'b/train-part1/0000.parquet',
    ]);
  });

  test('takes the config that the card names as its default', async () => {
    const readme =
      '---\nconfigs:\n- config_name: b\n  data_files: "*.arrow"\n  default: true\n- config_name: a\n---\n';
    const files = { 'a/train/0000.parquet': '1', 'b/train/0000.parquet': '2' };
    await using hub = await startHubDouble({
      'o/d': { files: { 'README.md': readme, 'x.arrow': '' }, conversion: { files } },
    });
    expect(await resolveHubDataset(requestFor('o/d'), accessTo(hub))).toMatchObject({ configName: 'b' });
  });
});

describe('who may read what', () => {
  const files = { 'README.md': '---\n---\n', 'train.parquet': 'PAR1' };
  const refusalOf = (
    hub: Awaited<ReturnType<typeof startHubDouble>>,
    token: string | undefined,
    id = 'o/d',
  ) => resolveHubDataset(requestFor(id), accessTo(hub, { token })).catch((error: Error) => error);

  test('a private dataset is read with its token, and otherwise not told from one that is not there', async () => {
    await using hub = await startHubDouble({ 'o/d': { files, tokens: ['hf_owner'] } });
    expect(await refusalOf(hub, 'hf_owner')).toMatchObject({ origin: 'files' });
    const unset =
      /There is no dataset "o\/(d|gone)".*or it is private and HF_TOKEN is not set; the Hub does not tell/;
    for (const id of ['o/d', 'o/gone']) {
      expect(await refusalOf(hub, undefined, id)).toMatchObject({
        name: 'InvalidRunInputError',
        message: expect.stringMatching(unset),
      });
    }
    expect(await refusalOf(hub, 'hf_reader')).toMatchObject({
      name: 'InvalidRunInputError',
      message: expect.stringContaining('the account of HF_TOKEN may not read it'),
    });
  });

  test('a gated dataset: the error says where to accept its terms', async () => {
    await using hub = await startHubDouble({ 'o/d': { files, tokens: ['hf_owner'], isGated: true } });
    expect(await refusalOf(hub, undefined)).toMatchObject({
      name: 'AccessDeniedError',
      message: `The dataset "o/d" is gated. Accept its terms at ${hub.endpoint}/datasets/o/d, then set HF_TOKEN to a token of that account.`,
    });
    expect(await refusalOf(hub, 'hf_reader')).toMatchObject({
      name: 'AccessDeniedError',
      message: expect.stringContaining('see that HF_TOKEN belongs to the account that was let in'),
    });
    expect(await refusalOf(hub, 'hf_owner')).toMatchObject({ origin: 'files' });
  });

  test('a token that the Hub does not know is named as the fault, whatever it begins with', async () => {
    await using hub = await startHubDouble({ 'o/d': { files } });
    expect(await refusalOf(hub, 'eyJhb.expired')).toMatchObject({
      name: 'AccessDeniedError',
      message: expect.stringContaining('does not accept HF_TOKEN: Invalid credentials'),
    });
    hub.knownTokens.add('eyJhb.expired');
    expect(await refusalOf(hub, 'eyJhb.expired')).toMatchObject({ origin: 'files' });
  });

  test.each([
    [
      { status: 403, headers: { 'x-error-message': 'Access to this resource is disabled.' } },
      'AccessDeniedError',
      'disabled',
    ],
    [{ status: 400 }, 'InvalidDatasetError', 'answered 400 for /api/datasets/o/d/revision/main'],
  ])('a refusal with %j is passed on', async (fault, name, message) => {
    await using hub = await startHubDouble({ 'o/d': { files } });
    hub.fail(/revision/, { kind: 'status', ...fault });
    expect(await refusalOf(hub, undefined)).toMatchObject({
      name,
      message: expect.stringContaining(message),
    });
  });
});

describe('names and revisions', () => {
  test('a branch is pinned to its commit; a revision that is not there is refused', async () => {
    const files = { 'train.csv': 'a\n' };
    await using hub = await startHubDouble({ 'o/d': { files } });
    const commit = hub.commitOf('o/d');
    await using branched = await startHubDouble({ 'o/d': { files, branches: { 'refs/pr/1': commit } } });
    const dataset = await resolveHubDataset(requestFor('o/d', { revision: 'refs/pr/1' }), accessTo(branched));
    expect(dataset.commit).toBe(commit);
    const pinned = await resolveHubDataset(requestFor('o/d', { revision: commit }), accessTo(branched));
    expect(pinned).toEqual(dataset);
    await expect(
      resolveHubDataset(requestFor('o/d', { revision: 'v9' }), accessTo(hub)),
    ).rejects.toMatchObject({
      name: 'InvalidRunInputError',
      message: expect.stringContaining('has no revision "v9"'),
    });
  });

  test('a dataset that was renamed is recorded under its new name', async () => {
    await using hub = await startHubDouble(
      { 'rajpurkar/squad': { files: { 'train.csv': 'a\n' } } },
      { renamed: { squad: 'rajpurkar/squad' } },
    );
    expect(await resolveHubDataset(requestFor('squad'), accessTo(hub))).toMatchObject({
      datasetId: 'rajpurkar/squad',
    });
  });

  test('an HF_ENDPOINT that is no URL is refused; a slash at its end does no harm', async () => {
    await using hub = await startHubDouble({ 'o/d': { files: { 'train.csv': 'a\n' } } });
    const access = accessTo(hub);
    await expect(
      resolveHubDataset(requestFor('o/d'), { ...access, endpoint: 'hf-mirror.com' }),
    ).rejects.toThrow('HF_ENDPOINT is "hf-mirror.com". Write it as a URL');
    const slashed = await resolveHubDataset(requestFor('o/d'), { ...access, endpoint: `${hub.endpoint}/` });
    expect(slashed.files).toHaveLength(1);
  });
});
