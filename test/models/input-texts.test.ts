import { expect, test } from 'vitest';
import { inputTexts } from '../../src/models/input-texts.ts';

test('what a model reads of a body is its texts and its schema, and nothing of how it is to answer', () => {
  const claude = {
    anthropic_version: 'bedrock-2023-05-31',
    max_tokens: 100,
    system: 'Be brief.',
    stop_sequences: ['END'],
    output_config: { effort: 'low', format: { type: 'json_schema', schema: { type: 'object' } } },
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
  };
  expect(inputTexts(claude)).toEqual(['Be brief.', '{"type":"object"}', 'Hello']);
  const converse = {
    messages: [{ role: 'user', content: [{ text: 'Hello' }] }],
    system: [{ text: 'Be brief.' }],
    outputConfig: { textFormat: { structure: { jsonSchema: { name: 'answer', schema: '{"a":1}' } } } },
  };
  expect(inputTexts(converse)).toEqual(['Hello', 'Be brief.', '{"a":1}']);
  expect(inputTexts({ messages: [{ role: 'user', content: 'Hello' }] })).toEqual(['Hello']);
  expect(inputTexts({ inputText: 'embed me', dimensions: 256 })).toEqual(['embed me']);
  const nova = { singleEmbeddingParams: { text: { truncationMode: 'NONE', value: 'embed me' } } };
  expect(inputTexts(nova)).toEqual(['embed me']);
  expect(inputTexts({ system: '' })).toEqual([]);
});
