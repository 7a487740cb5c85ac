import { expect, test } from 'vitest';
import { rowsView } from '../../../src/cli/views/rows-view.ts';

const rows = [
  { topic: 'cats', response: 'a joke' },
  { topic: 'dogs', response: null },
];

test('rows that fit are a table', () => {
  expect(rowsView(rows)).toBe(
    [
      '┌───────┬──────────┐',
      '│ topic │ response │',
      '├───────┼──────────┤',
      '│ cats  │ a joke   │',
      '├───────┼──────────┤',
      '│ dogs  │          │',
      '└───────┴──────────┘',
    ].join('\n'),
  );
});

test('rows that are wider than the terminal are a block each', () => {
  expect(rowsView(rows, { width: 10 })).toBe(
    'row 1\n  topic     cats\n  response  a joke\n\nrow 2\n  topic     dogs\n  response  ',
  );
});

test('only the columns that are asked for are shown', () => {
  expect(rowsView(rows, { columns: ['topic'], width: 5 })).toBe(
    'row 1\n  topic  cats\n\nrow 2\n  topic  dogs',
  );
});
