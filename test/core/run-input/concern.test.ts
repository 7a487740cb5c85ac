import { expect, test } from 'vitest';
import { describeField } from '../../../src/core/run-input/concern.ts';

test('a description’s default is told apart from its meaning', () => {
  expect(describeField('Column to embed. Default `input_text`. Embeddings only.')).toEqual({
    meaning: 'Column to embed. Embeddings only.',
    defaultText: '`input_text`',
  });
  expect(describeField('Default: none.')).toEqual({ meaning: '', defaultText: 'none' });
  expect(describeField('Takes the model’s own default.')).toEqual({
    meaning: 'Takes the model’s own default.',
    defaultText: '',
  });
});
