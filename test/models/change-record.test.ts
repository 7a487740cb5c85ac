import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { schemaInstruction } from '../../src/core/run-input/output-schema.ts';
import { findAdapter } from '../../src/models/adapters/find-adapter.ts';
import { changeRecord } from '../../src/models/change-record.ts';
import { resolveModel } from '../../src/models/resolve-model.ts';

const MODELS = {
  'Anthropic Claude': 'global.anthropic.claude-haiku-4-5-20251001-v1:0',
  Converse: 'qwen.qwen3-32b-v1:0',
  'OpenAI gpt-oss': 'openai.gpt-oss-20b-1:0',
};
const SCHEMA = { type: 'object', properties: { a: { type: 'string' } } } as const;
const INSTRUCTION = schemaInstruction(SCHEMA);

/** A body in the model's own form, and the one with the same told in its prompt. */
function bodiesOf(modelId: string, prompt: string) {
  const { adapter, request } = resolveModel(modelId, {
    systemPrompt: 'Be brief.',
    parameters: {},
    thinking: 'off',
  });
  return {
    adapter,
    native: adapter.toModelInput(prompt, { ...request, schema: SCHEMA }),
    prompted: adapter.toModelInput(`${prompt}${INSTRUCTION}`, request),
  };
}

describe.each(Object.entries(MODELS))('%s', (_, modelId) => {
  test('a record in the model’s own form becomes the one that tells the schema in its prompt, once', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (prompt) => {
        const { adapter, native, prompted } = bodiesOf(modelId, prompt);
        const changed = changeRecord(native, { adapter, turns: 1, instruction: INSTRUCTION });
        expect(changed).toEqual(prompted);
        expect(changeRecord(changed, { adapter, turns: 1, instruction: INSTRUCTION })).toEqual(prompted);
      }),
    );
  });

  test('a wrong answer and its fault come after the prompt, and take the place of an earlier one', () => {
    const { adapter, native } = bodiesOf(modelId, 'Is it so?');
    const change = { adapter, turns: 1 };
    const once = changeRecord(native, change, { answer: '{"a": 1}', fault: 'a must be string' });
    const twice = changeRecord(once, change, { answer: '{"a": 2}', fault: 'a must be string' });
    const before = native.messages as unknown[];
    const messages = twice.messages as unknown[];
    expect(messages.slice(0, before.length)).toEqual(before);
    expect(messages.slice(before.length)).toEqual([
      adapter.turn?.({ role: 'assistant', text: '{"a": 2}' }),
      adapter.turn?.({
        role: 'user',
        text: 'Your answer does not match the JSON Schema: a must be string. Answer again with one JSON object that matches it, and nothing else.',
      }),
    ]);
    expect({ ...twice, messages: before }).toEqual(native);
    // Sent again for another reason, it keeps what was said.
    expect(changeRecord(once, change)).toEqual(once);
  });
});

test('how hard Claude is to think stays, where the field beside it goes', () => {
  const { adapter, request } = resolveModel('us.anthropic.claude-opus-4-6-v1', {
    systemPrompt: undefined,
    parameters: {},
    thinking: 'low',
  });
  const native = adapter.toModelInput('Why?', { ...request, schema: SCHEMA });
  expect(changeRecord(native, { adapter, turns: 1, instruction: INSTRUCTION }).output_config).toEqual({
    effort: 'low',
  });
});

test('a body that is no conversation stays as it is', () => {
  const adapter = findAdapter('amazon.titan-embed-text-v2:0');
  const body = { inputText: 'a' };
  expect(changeRecord(body, { adapter, turns: 1, instruction: INSTRUCTION })).toBe(body);
});
