import { expect, test } from 'vitest';
import { sentenceOf } from '../../../src/core/text/sentence.ts';

test.each([
  ['Access denied', 'Access denied.'],
  ['Access denied.', 'Access denied.'],
  ['Access denied. ', 'Access denied.'],
  ['Is it there?', 'Is it there?'],
  ['He said "no."', 'He said "no."'],
  ['The key (1)', 'The key (1).'],
  ['wait…', 'wait…'],
  ['', ''],
])('%j as a sentence is %j', (text, sentence) => {
  expect(sentenceOf(text)).toBe(sentence);
  expect(sentenceOf(sentence)).toBe(sentence);
});
