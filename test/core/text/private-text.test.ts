import { expect, test } from 'vitest';
import { privately, publicText, wholeText } from '../../../src/core/text/private-text.ts';

test('what is marked is in the whole text and not in the public one', () => {
  const message = `Line ${2} has ${privately('a "word"')} and ${privately('')}.`;
  expect(wholeText(message)).toBe('Line 2 has a "word" and .');
  expect(publicText(message)).toBe('Line 2 has … and ….');
});

test('a text that has the marks itself cannot end its own privacy', () => {
  const message = `It says ${privately('one\ufdd1two\ufdd0three\ufdd2', 'less\ufdd2')}.`;
  expect([publicText(message), wholeText(message)]).toEqual(['It says less.', 'It says onetwothree.']);
});
