import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findLocalDataset } from '../../../src/targets/local/local-dataset.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** A folder with these files, and links to where their values say. */
async function makeFolder(
  files: Record<string, string>,
  links: Record<string, string> = {},
): Promise<string> {
  const root = await temporaryDirectory();
  const place = async (name: string) => {
    await mkdir(join(root, name, '..'), { recursive: true });
    return join(root, name);
  };
  for (const [name, content] of Object.entries(files)) await writeFile(await place(name), content);
  for (const [name, target] of Object.entries(links)) await symlink(target, await place(name));
  return root;
}

const find = async (root: string, store = join(root, 'nowhere')) => {
  const { files, notes } = await findLocalDataset([root], { storeDirectory: store, format: undefined });
  return { names: files.map(({ name }) => name), notes };
};

test('links to files and folders are followed: a cache of the Hub is all links', async () => {
  const root = await makeFolder(
    { 'blobs/1f': 'a\n1\n', 'blobs/2e': 'a\n2\n', 'more/c.csv': 'a\n3\n' },
    {
      'snapshots/c0ffee/data/a.csv': '../../../blobs/1f',
      'snapshots/c0ffee/data/b.csv': '../../../blobs/2e',
      'snapshots/c0ffee/more': '../../more',
    },
  );
  expect(await find(join(root, 'snapshots/c0ffee'))).toEqual({
    names: ['data/a.csv', 'data/b.csv', 'more/c.csv'],
    notes: [],
  });
  await symlink(join(root, 'snapshots/c0ffee'), join(root, 'main'));
  expect((await find(join(root, 'main'))).names).toEqual(['data/a.csv', 'data/b.csv', 'more/c.csv']);
});

test('a link into the folder that it is in is refused by its name', async () => {
  const root = await makeFolder({ 'a/x.csv': 'a\n' }, { 'a/b/again': '../..' });
  await expect(find(root)).rejects.toThrow(
    `${join(root, 'a/b/again')} is a link to ${root}, a folder that it is itself in. Remove the link, or name the files.`,
  );
  const circle = await makeFolder({ 'x.csv': 'a\n' }, { 'y.csv': 'z.csv', 'z.csv': 'y.csv' });
  await expect(find(circle)).rejects.toThrow(
    /y\.csv is a link to z\.csv, which leads back to itself\. Remove it/,
  );
});

test('a link to nothing is refused by its name', async () => {
  const root = await makeFolder({ 'x.csv': 'a\n' }, { 'gone.csv': '/no/such/file' });
  await expect(find(root)).rejects.toThrow(
    `${join(root, 'gone.csv')} is a link to /no/such/file, which is not there. Remove it, or mend what it leads to.`,
  );
});

test('hidden and underscored names and the folder of runs are passed over, and told of', async () => {
  const root = await makeFolder(
    {
      'a.csv': 'a\n1\n',
      '_year=2024/b.csv': 'a\n2\n',
      '.ipynb_checkpoints/a-checkpoint.csv': 'a\n9\n',
      '_temporary/0/part.csv': 'a\n9\n',
      'deep/.git/x.csv': 'a\n9\n',
      'runs/quarry-local/runs/r/output/p.csv': 'a\n9\n',
      _SUCCESS: '',
    },
    { '.quarry': 'runs' },
  );
  const { names, notes } = await find(root, join(root, 'runs'));
  expect(names).toEqual(['_year=2024/b.csv', 'a.csv']);
  expect(notes).toHaveLength(1);
  expect(notes[0]).toMatch(/^Passed over in the dataset’s folder, as no data: .*, .*, .* and 3 more\. Names/);
  expect(await readdir(join(root, 'deep'))).toEqual(['.git']);
});

test('a file that is named itself is taken, whatever its name, and so is what is below a folder that is', async () => {
  const root = await makeFolder({ '_x/.a.csv': 'a\n1\n', '_x/b.csv': 'a\n2\n' });
  expect((await find(join(root, '_x/.a.csv'))).names).toEqual(['.a.csv']);
  expect((await find(join(root, '_x'))).names).toEqual(['b.csv']);
});

test('a folder of nothing else has no files', async () => {
  const root = await makeFolder({ '_x/a.csv': 'a\n1\n' });
  await expect(find(root)).rejects.toThrow(
    `The folder "${root}" has no files. Passed over in the dataset’s folder, as no data: _x/. Names`,
  );
});
