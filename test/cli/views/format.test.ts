import { expect, test } from 'vitest';
import { cell, count, duration, usd } from '../../../src/cli/views/format.ts';

test('counts have separators and the right number', () => {
  expect(count(1, 'row')).toBe('1 row');
  expect(count(2_200_000, 'row')).toBe('2,200,000 rows');
});

test('durations have the two units that matter', () => {
  expect(duration(1234)).toBe('1.2 s');
  expect(duration(185_000)).toBe('3 min 5 s');
  expect(duration(7_620_000)).toBe('2 h 7 min');
});

test('small sums keep their digits', () => {
  expect(usd(0.0123)).toBe('$0.0123');
  expect(usd(12.345)).toBe('$12.35');
});

test('a cell is one line without control characters, cut between characters', () => {
  expect(cell('a\nb\u001b[31mred', 60)).toBe('a b [31mred');
  expect(cell('🐉🐉🐉🐉', 3)).toBe('🐉🐉…');
  expect(cell(null, 5)).toBe('');
  expect(cell([1, 2], 60)).toBe('[1,2]');
});
