import { describe, expect, test } from 'vitest';
import { parseCardConfigs } from '../../src/hub/dataset-card.ts';

const configsOf = (yaml: string) => parseCardConfigs(`---\n${yaml}\n---\n# Text\n---\n`, 'o/d');

describe('data_files of a card', () => {
  test.each([
    ['a path', 'data_files: a.csv', [{ split: 'train', patterns: ['a.csv'] }]],
    ['a list of paths', 'data_files: [a.csv, b/*.csv]', [{ split: 'train', patterns: ['a.csv', 'b/*.csv'] }]],
    [
      'splits with a path or a list',
      'data_files: [{split: test, path: t.csv}, {split: 2024, path: [a.csv]}]',
      [
        { split: 'test', patterns: ['t.csv'] },
        { split: '2024', patterns: ['a.csv'] },
      ],
    ],
    ['a mapping', 'data_files: {dev: d.csv}', [{ split: 'dev', patterns: ['d.csv'] }]],
    ['nothing', 'description: none', undefined],
  ])('may be %s', (_, yaml, splits) => {
    const [config] = configsOf(`configs:\n- config_name: one\n  ${yaml}`);
    expect(config).toMatchObject({ name: 'one', isDefault: false, folder: '', parameters: [] });
    expect(config?.splits).toEqual(splits);
  });
});

test.each([
  ['sub', 'sub/'],
  ['./sub/dir/', 'sub/dir/'],
  ['/sub', 'sub/'],
  ['.', ''],
  ['./', ''],
])('a data_dir "%s" is the folder "%s"', (folder, expected) => {
  expect(configsOf(`configs: {data_dir: "${folder}"}`)).toMatchObject([
    { name: 'default', isDefault: true, folder: expected },
  ]);
});

test('settings of the library are named', () => {
  const [config] = configsOf(
    'configs:\n- config_name: one\n  data_files: a.csv\n  sep: "\\t"\n  quotechar: "\'"\n  encoding: latin-1\n  names: [a]',
  );
  expect(config?.parameters).toEqual(['names']);
  expect(config?.csv).toEqual({ csv_delimiter: 'tab', csv_quote: "'", csv_encoding: 'latin-1' });
});

test.each([
  ['escapechar: "\\\\"', { csv_escape: '\\' }, []],
  ['skiprows: 3', { csv_skip: 3 }, []],
  ['header: null', { csv_header: false }, []],
  ['header: infer', {}, []],
  ['header: 0', {}, []],
  ['skiprows: 0', {}, []],
  ['skiprows: null\n  comment: null\n  names: null\n  column_names: null\n  escapechar: null', {}, []],
  ['header: 2', {}, ['header']],
  ['header: [0, 1]', {}, ['header']],
  ['skiprows: [0, 2]', {}, ['skiprows']],
  // It ends lines within a record, too.
  ['comment: "#"', {}, ['comment']],
  ['names: [a, b]', {}, ['names']],
  ['column_names: [a, b]', {}, ['column_names']],
])('of CSV settings, %s is taken or named', (setting, csv, parameters) => {
  const [config] = configsOf(`configs:\n- config_name: one\n  data_files: a.csv\n  ${setting}`);
  expect(config).toMatchObject({ parameters });
  expect(config?.csv).toEqual(csv);
});

test.each([
  ['no block', '# Title\n---\nconfigs: 1\n---\n'],
  ['an empty block', '---\n---\n# Title'],
  ['an empty file', ''],
  ['a block without configs', '---\r\nlicense: mit\r\n---\r\n'],
  ['a block that is never closed', '---\nconfigs: [1]\n'],
])('%s declares nothing', (_, readme) => {
  expect(parseCardConfigs(readme, 'o/d')).toEqual([]);
});

test.each([
  ['YAML that is none', 'configs: [', 'Flow sequence'],
  ['configs of another shape', 'configs: 7', 'each has a config_name'],
  [
    'a split without a path',
    'configs: [{config_name: a, data_files: [{split: x}]}]',
    'a list of split and path',
  ],
])('%s is refused', (_, yaml, detail) => {
  expect(() => configsOf(yaml)).toThrow(
    expect.objectContaining({ name: 'InvalidDatasetError', message: expect.stringContaining(detail) }),
  );
});
