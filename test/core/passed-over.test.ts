import { expect, test } from 'vitest';
import { createPassedOver, hiddenBelow } from '../../src/core/passed-over.ts';

test.each([
  ['a.csv', undefined],
  ['a_b/c.d.csv', undefined],
  ['_year=2024/a.csv', undefined],
  ['year=2024/_SUCCESS', 'year=2024/_SUCCESS'],
  ['.git/objects/a', '.git/'],
  ['a/_temporary/0/b.csv', 'a/_temporary/'],
  ['a/.b.csv.crc', 'a/.b.csv.crc'],
])('of %s hidden is %s', (path, expected) => {
  expect(hiddenBelow(path)).toBe(expected);
});

test('what is passed over is named as far as it is short, and counted', () => {
  const passedOver = createPassedOver();
  expect(passedOver.notes()).toEqual([]);
  for (const name of ['.git/', '.git/', '_a', '_b']) passedOver.add(name);
  expect(passedOver.notes()).toEqual([
    'Passed over in the dataset’s folder, as no data: .git/, _a, _b. Names that begin with . or _ are, and Quarry’s own folder; a file that is named itself is taken.',
  ]);
  for (const name of ['_c', '_d']) passedOver.add(name);
  expect(passedOver.notes()[0]).toContain('.git/, _a, _b and 2 more. ');
});
