import { expect, test } from 'vitest';
import { tokenErrorOf } from '../../../src/models/catalog/token-errors.ts';

test('a family’s error is known by any spelling of its models, and nobody’s is guessed to be small', () => {
  expect(tokenErrorOf('openai.gpt-oss-120b-1:0')).toBe(0);
  expect(tokenErrorOf('us.meta.llama3-3-70b-instruct-v1:0')).toBe(0.1);
  expect(tokenErrorOf('global.anthropic.claude-haiku-4-5-20251001-v1:0')).toBe(0.35);
  expect(tokenErrorOf('nobody.unheard-of-v1:0')).toBe(0.35);
});
