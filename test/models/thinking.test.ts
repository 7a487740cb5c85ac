import { describe, expect, test } from 'vitest';
import type { InferenceParameters } from '../../src/models/adapters/model-adapter.ts';
import { MODEL_CATALOG } from '../../src/models/catalog/model-catalog.ts';
import { resolveModel } from '../../src/models/resolve-model.ts';
import type { ThinkingLevel } from '../../src/models/thinking.ts';

const HAIKU_4_5 = 'global.anthropic.claude-haiku-4-5-20251001-v1:0';
const OPUS_4_6 = 'us.anthropic.claude-opus-4-6-v1';
const OPUS_5 = 'us.anthropic.claude-opus-5';
const NOVA_2 = 'us.amazon.nova-2-lite-v1:0';
const KIMI = 'moonshot.kimi-k2-thinking';
const GPT_OSS = 'openai.gpt-oss-20b-1:0';

const under = (modelId: string, thinking: ThinkingLevel | undefined, parameters: InferenceParameters = {}) =>
  resolveModel(modelId, { systemPrompt: undefined, parameters, thinking });

test.each([
  ['nothing is said to a model that does not think unless asked', HAIKU_4_5, 'off', undefined],
  ['one that would think is told not to', OPUS_5, 'off', { kind: 'disabled' }],
  ['one that takes a budget', HAIKU_4_5, 'low', { kind: 'budget', tokens: 2048 }],
  ['one that takes an effort', OPUS_4_6, 'max', { kind: 'adaptive', effort: 'max' }],
  ['one that thinks by default, more', OPUS_5, 'high', { kind: 'adaptive', effort: 'high' }],
  ['Nova, whose most is high', NOVA_2, 'max', { kind: 'reasoning-config', effort: 'high' }],
  [
    'gpt-oss, which cannot stop, as little as it can',
    GPT_OSS,
    'off',
    { kind: 'reasoning-effort', effort: 'low' },
  ],
  ['a run of before there was a word for it', OPUS_5, undefined, undefined],
] as const)('%s', (_, modelId, level, form) => {
  expect(under(modelId, level).request.thinking).toEqual(form);
});

test('every level of every model that thinks has a form, and fits under the most tokens of the model', () => {
  const thinkers = MODEL_CATALOG.filter(
    ({ thinking, batch, id }) =>
      !['none', 'always'].includes(thinking) && batch.kind === 'yes' && !id.endsWith('*'),
  );
  expect(thinkers.length).toBeGreaterThan(8);
  for (const { id, batch, maxTokens: ceiling = Number.POSITIVE_INFINITY } of thinkers) {
    const profile = batch.kind === 'yes' && batch.plainIn.length === 0 ? `${batch.profiles[0]}.` : '';
    for (const level of ['low', 'medium', 'high', 'max'] as const) {
      const { request, maxTokens = 0 } = under(`${profile}${id}`, level);
      expect(request.thinking).toBeDefined();
      expect(maxTokens).toBeLessThanOrEqual(ceiling);
      if (request.thinking?.kind === 'budget') {
        expect(request.thinking.tokens).toBeGreaterThanOrEqual(1024);
        expect(maxTokens - request.thinking.tokens).toBeGreaterThanOrEqual(1024);
      }
    }
  }
});

test('max_tokens is raised by what thoughts may take, unless it is given', () => {
  expect(under(HAIKU_4_5, 'medium').maxTokens).toBe(1024 + 8192);
  expect(under(HAIKU_4_5, 'medium', { max_tokens: 10_000 }).request.parameters.max_tokens).toBe(10_000);
  expect(under(HAIKU_4_5, 'off').request.parameters.max_tokens).toBeUndefined();
  // Nothing bounds Nova's most but the model itself.
  expect(under(NOVA_2, 'high').maxTokens).toBe(65_535);
});

describe('what is refused', () => {
  const cases: [name: string, call: () => unknown, message: string][] = [
    [
      'a model that does not think',
      () => under('us.amazon.nova-lite-v1:0', 'low'),
      'thinking: us.amazon.nova-lite-v1:0 does not think. Leave thinking out.',
    ],
    [
      'one that always does',
      () => under(KIMI, 'low'),
      `thinking: ${KIMI} always thinks, and nothing changes how much. Leave thinking out.`,
    ],
    [
      'one that nobody knows',
      () => under('strange.model-v1', 'low'),
      'thinking: how strange.model-v1 is told to think is not known. Leave thinking out.',
    ],
    [
      'embeddings',
      () => under('amazon.titan-embed-text-v2:0', 'low'),
      'thinking: amazon.titan-embed-text-v2:0 makes embeddings and does not think. Leave it out.',
    ],
    [
      'sampling while Claude thinks',
      () => under(HAIKU_4_5, 'low', { temperature: 0, top_k: 5 }),
      `inference_parameters: ${HAIKU_4_5} refuses temperature other than 1 and top_k while it thinks. Leave that out, or thinking. To try it all the same, give force.`,
    ],
    [
      'a low top_p while Claude thinks',
      () => under(HAIKU_4_5, 'low', { top_p: 0.5 }),
      `inference_parameters: ${HAIKU_4_5} refuses top_p under 0.95 while it thinks. Leave that out, or thinking. To try it all the same, give force.`,
    ],
    [
      'a budget over max_tokens',
      () => under(HAIKU_4_5, 'medium', { max_tokens: 4000 }),
      `inference_parameters.max_tokens is 4000, and thinking medium may take 8192 of them: ${HAIKU_4_5} refuses that. Give more than 8192, or a lower thinking. To try it all the same, give force.`,
    ],
    [
      'a bound where Nova thinks its most',
      () => under(NOVA_2, 'high', { max_tokens: 4000, temperature: 0.5 }),
      `inference_parameters: ${NOVA_2} refuses max_tokens, temperature with thinking high. Leave it out, or take thinking medium. To try it all the same, give force.`,
    ],
  ];
  test.each(cases)('%s', (_, call, message) => {
    expect(call).toThrow(expect.objectContaining({ name: 'InvalidRunInputError', message }));
  });
});

test('what a user should know is noted', () => {
  expect(under(KIMI, 'off').notes).toEqual([
    'Kimi K2 Thinking always thinks: its thoughts are paid for as output, and max_tokens counts for both.',
  ]);
  expect(under(GPT_OSS, 'off').notes).toEqual([
    'gpt-oss-20b cannot be told not to think, so it is asked for the least (reasoning_effort low): its thoughts are paid for as output, and max_tokens counts for both.',
  ]);
  expect(under(NOVA_2, 'max').notes).toEqual(['Nova 2 Lite knows no more than high: thinking max is that.']);
  expect(under(OPUS_4_6, 'high', { max_tokens: 2000 }).notes).toEqual([
    'max_tokens 2000 counts for thoughts and answer together, which is little for thinking high: answers may be cut off. Leave it out for 17408.',
  ]);
});
