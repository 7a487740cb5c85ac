import { expect, test } from 'vitest';
import { parseRunInput } from '../../../src/core/run-input/run-input.ts';

const MINIMAL = { s3_uri: 's3://bucket/data.csv', model_id: 'amazon.nova-lite-v1:0' };

test.each<[Record<string, unknown>, string[]]>([
  [{ image_columns: ['a', 'a'], document_columns: ['b'] }, ['image_columns: "a" is named twice']],
  [{ image_columns: ['a'], document_columns: ['b', 'b'] }, ['document_columns: "b" is named twice']],
  [{ image_columns: ['a'], document_columns: ['a'] }, ['image_columns: "a" is named twice']],
  [
    { files_folder: 'photos', fetch: true },
    [
      'files_folder: goes with image_columns or document_columns',
      'fetch: goes with image_columns or document_columns',
    ],
  ],
  [{ image_columns: 'photo' }, ['image_columns: Invalid input: expected array, received string']],
  [{ image_columns: [] }, ['image_columns: Too small: expected array to have >=1 items']],
])('%j is refused', (keys, faults) => {
  expect(() => parseRunInput({ ...MINIMAL, ...keys })).toThrow(
    `The run input is not valid.\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
  );
});

test('what goes together is taken', () => {
  const input = {
    ...MINIMAL,
    image_columns: ['a', 'b'],
    document_columns: ['c'],
    files_folder: 's3://b-1/x/',
    fetch: true,
  };
  expect(parseRunInput(input)).toEqual(input);
});
