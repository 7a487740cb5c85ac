import { expect, test } from 'vitest';
import { resolveHubDataset } from '../../src/hub/resolve-dataset.ts';
import { startHubDouble } from './hub-double.ts';
import { accessTo, requestFor } from './hub-fixture.ts';

test('hidden and underscored names are passed over, unless the card names them', async () => {
  const files = {
    'data/train/a.csv': 'a\n1\n',
    'data/train/_b.csv': 'a\n2\n',
    'data/train/.ipynb_checkpoints/a.csv': 'a\n3\n',
    '.gitattributes': '',
  };
  const named = '---\nconfigs:\n- config_name: default\n  data_files: data/train/_*.csv\n---\n';
  await using hub = await startHubDouble({
    'o/d': { files },
    'o/named': { files: { ...files, 'README.md': named } },
  });
  expect(await resolveHubDataset(requestFor('o/d'), accessTo(hub))).toMatchObject({
    files: [{ path: 'data/train/a.csv' }],
    passedOver: ['data/train/.ipynb_checkpoints/', 'data/train/_b.csv'],
  });
  expect(await resolveHubDataset(requestFor('o/named'), accessTo(hub))).toMatchObject({
    files: [{ path: 'data/train/_b.csv' }],
    passedOver: ['data/train/.ipynb_checkpoints/'],
  });
});
