import { expect, test } from 'vitest';
import { listDatasetObjects } from '../../../src/steps/plan/dataset-files.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { storeOf } from '../../support/step-policies.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

async function storeWith(...keys: string[]) {
  const store = createDirectoryStore(await temporaryDirectory());
  for (const key of keys) await store.write(`s3://data/${key}`, 'a\n1\n');
  return storeOf('plan', store, { bucket: 'data' });
}

test('of a prefix hidden and underscored names are passed over, folders of them too, and told of', async () => {
  const store = await storeWith(
    'd/_SUCCESS',
    'd/_temporary/0/a.csv',
    'd/_temporary/1/a.csv',
    'd/a.csv',
    'd/x/.b.csv.crc',
    'd/x/_year=2024/b.csv',
    'd2/c.csv',
  );
  for (const uri of ['s3://data/d', 's3://data/d/'] as const) {
    const { objects, notes } = await listDatasetObjects(uri, store);
    expect(objects.map((object) => object.uri)).toEqual([
      's3://data/d/a.csv',
      's3://data/d/x/_year=2024/b.csv',
    ]);
    expect(notes).toEqual([
      'Passed over in the dataset’s folder, as no data: _SUCCESS, _temporary/, x/.b.csv.crc. Names that begin with . or _ are, and Quarry’s own folder; a file that is named itself is taken.',
    ]);
  }
});

test('an object that is named itself is taken, and what is below a prefix that is', async () => {
  const store = await storeWith('_d/_a.csv', '_d/b.csv');
  expect((await listDatasetObjects('s3://data/_d/_a.csv', store)).objects).toHaveLength(1);
  const { objects } = await listDatasetObjects('s3://data/_d', store);
  expect(objects.map(({ uri }) => uri)).toEqual(['s3://data/_d/b.csv']);
});

test('a prefix of nothing else is refused, with what is passed over', async () => {
  const store = await storeWith('d/_SUCCESS');
  await expect(listDatasetObjects('s3://data/d', store)).rejects.toThrow(
    'There is no object s3://data/d, and none below s3://data/d/. Passed over in the dataset’s folder, as no data: _SUCCESS. Names',
  );
});
