import { describe, expect, test } from 'vitest';
import { converseBodies } from '../../../src/emulator/models/converse-bodies.ts';
import { findEmulatedModel } from '../../../src/emulator/models/model-catalog.ts';
import { simulate } from '../../../src/emulator/models/simulated-model.ts';
import { outputOf } from '../../../src/models/adapters/model-adapter.ts';
import { idsOf, MODEL_CATALOG } from '../../../src/models/catalog/model-catalog.ts';
import { resolveModel } from '../../../src/models/resolve-model.ts';
import { chooseSchemaForm } from '../../../src/models/schema-form.ts';
import type { ThinkingLevel } from '../../../src/models/thinking.ts';
import { readModelOutput } from '../../support/model-answer.ts';

const ACCOUNT = { accountId: '123456789012', region: 'us-east-1', applicationProfiles: {} };
const HAIKU_4_5 = 'global.anthropic.claude-haiku-4-5-20251001-v1:0';
const OPUS_4_6 = 'us.anthropic.claude-opus-4-6-v1';
const OPUS_5 = 'us.anthropic.claude-opus-5';
const NOVA_2 = 'us.amazon.nova-2-lite-v1:0';
const GPT_OSS = 'openai.gpt-oss-20b-1:0';
const QWEN = 'qwen.qwen3-32b-v1:0';
const SCHEMA = {
  type: 'object',
  properties: {
    label: { type: 'string', enum: ['good', 'bad'] },
    score: { type: 'number', minimum: 0, maximum: 1 },
    why: { type: 'string' },
  },
  required: ['label', 'score'],
} as const;

/** What a body gets of the emulator: its refusal, or what is read of its answer and the answer itself. */
function ask(modelId: string, body: Record<string, unknown>, isConverse: boolean) {
  const model = findEmulatedModel(modelId, ACCOUNT);
  const family = isConverse ? converseBodies : model.family;
  const request = family.readRequest(body, model, true);
  if (request.kind === 'refusal') return { refusal: request.errorMessage };
  const context = { model, request, digest: () => 'd', atMs: 0, inBatch: true };
  return { output: family.writeAnswer(simulate(request, model), context) };
}

/** The same for the body that a run sends. */
function run(modelId: string, thinking: ThinkingLevel, schema?: typeof SCHEMA) {
  const model = resolveModel(modelId, { systemPrompt: undefined, parameters: {}, thinking });
  const choice = schema && chooseSchemaForm(schema, { model, modelId, form: undefined });
  const request = { ...model.request, ...(choice?.form === 'native' ? { schema: choice.sent } : {}) };
  const body = model.adapter.toModelInput('Is it so?', request);
  const { refusal, output } = ask(modelId, body, model.adapter.invocationType === 'Converse');
  return { refusal, output, form: choice?.form, answer: readModelOutput(outputOf(model.adapter), output) };
}

const textModels = MODEL_CATALOG.filter(({ output, batch }) => output === 'text' && batch.kind === 'yes');

describe.each(textModels.map((facts) => [idsOf(facts)[0] ?? facts.id, facts] as const))(
  '%s',
  (modelId, facts) => {
    test('takes every thinking that Quarry asks of it, and its answer is read without the thoughts', () => {
      const hasLevels = facts.thinking !== 'none' && facts.thinking !== 'always';
      for (const level of hasLevels
        ? (['off', 'low', 'medium', 'high', 'max'] as const)
        : (['off'] as const)) {
        const { refusal, answer } = run(modelId, level);
        expect([level, refusal]).toEqual([level, undefined]);
        expect(answer?.text).toMatch(/^\[simulated /);
      }
    });

    test('takes the schema in the form that Quarry chooses, and follows it', () => {
      const { refusal, answer, form } = run(modelId, 'off', SCHEMA);
      expect(refusal).toBeUndefined();
      const isHeld = facts.structuredOutput;
      expect(form).toBe(isHeld ? 'native' : 'prompt');
      if (!isHeld) return;
      const { label, score, ...others } = JSON.parse(String(answer?.text)) as Record<string, unknown>;
      expect(['good', 'bad']).toContain(label);
      expect(Number(score)).toBeGreaterThanOrEqual(0);
      expect(Number(score)).toBeLessThanOrEqual(1);
      expect(Object.keys(others)).toEqual(['why']);
    });
  },
);

test('a model that thinks by default is told not to, and does not', () => {
  const blocksOf = ({ output }: { output?: Record<string, unknown> | undefined }) =>
    ((output?.content ?? []) as { type: string }[]).map(({ type }) => type);
  expect(blocksOf(run(OPUS_5, 'off'))).toEqual(['text']);
  expect(blocksOf(run(OPUS_5, 'low'))).toEqual(['thinking', 'text']);
  const body = {
    anthropic_version: 'bedrock-2023-05-31',
    max_tokens: 500,
    messages: [{ role: 'user', content: 'Hi' }],
  };
  expect(blocksOf(ask(OPUS_5, body, false))).toEqual(['thinking', 'text']);
});

describe('what models refuse', () => {
  const claude = (more: object) => ({
    anthropic_version: 'bedrock-2023-05-31',
    max_tokens: 3000,
    messages: [{ role: 'user', content: 'Hi' }],
    ...more,
  });
  const converse = (more: object) => ({ messages: [{ role: 'user', content: [{ text: 'Hi' }] }], ...more });
  const chat = (more: object) => ({ messages: [{ role: 'user', content: 'Hi' }], ...more });
  const held = (schema: object) => ({ output_config: { format: { type: 'json_schema', schema } } });
  const textFormat = (schema: string) => ({
    outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema: { schema } } } },
  });
  const cases: [modelId: string, body: Record<string, unknown>, isConverse: boolean, message: string][] = [
    [
      HAIKU_4_5,
      claude({ thinking: { type: 'adaptive' } }),
      false,
      'adaptive thinking is not supported on this model',
    ],
    [
      HAIKU_4_5,
      claude({ thinking: { type: 'enabled' } }),
      false,
      'thinking.enabled.budget_tokens: Field required',
    ],
    [
      HAIKU_4_5,
      claude({ thinking: { type: 'enabled', budget_tokens: 10 } }),
      false,
      'thinking.enabled.budget_tokens: Input should be greater than or equal to 1024',
    ],
    [
      HAIKU_4_5,
      claude({ thinking: { type: 'enabled', budget_tokens: 3000 } }),
      false,
      '`max_tokens` must be greater than `thinking.budget_tokens`.',
    ],
    [
      HAIKU_4_5,
      claude({ thinking: { type: 'enabled', budget_tokens: 2000 }, temperature: 0 }),
      false,
      '`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.',
    ],
    [
      HAIKU_4_5,
      claude({ thinking: 7 }),
      false,
      "thinking.type: Input should be 'adaptive', 'disabled' or 'enabled'",
    ],
    [
      OPUS_5,
      claude({ thinking: { type: 'enabled', budget_tokens: 2000 } }),
      false,
      '"thinking.type.enabled" is not supported for this model.',
    ],
    [HAIKU_4_5, claude({ output_config: 7 }), false, 'output_config: Input should be a valid dictionary'],
    [
      HAIKU_4_5,
      claude({ output_config: { size: 1 } }),
      false,
      'output_config.size: Extra inputs are not permitted',
    ],
    [
      OPUS_4_6,
      claude({ output_config: { effort: 'huge' } }),
      false,
      "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh', 'max'",
    ],
    [
      HAIKU_4_5,
      claude({ output_config: { effort: 'low' } }),
      false,
      'output_config.effort: This model does not support the effort parameter.',
    ],
    [
      HAIKU_4_5,
      claude({ output_config: { format: 7 } }),
      false,
      "output_config.format.type: Input should be 'json_schema'",
    ],
    [
      HAIKU_4_5,
      claude({ output_config: { format: { type: 'json_schema' } } }),
      false,
      'output_config.format.schema: Field required',
    ],
    [
      HAIKU_4_5,
      claude(held(SCHEMA)),
      false,
      "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false",
    ],
    [
      HAIKU_4_5,
      claude(held({ ...SCHEMA, additionalProperties: false })),
      false,
      "output_config.format.schema: For 'number' type, property 'minimum' is not supported",
    ],
    [
      OPUS_5,
      claude(held({ type: 'object', additionalProperties: false })),
      false,
      'output_config.format: Structured output is not supported by this model.',
    ],
    [
      QWEN,
      converse({ outputConfig: { textFormat: 7 } }),
      true,
      'The model returned the following errors: outputConfig.textFormat: expected type json_schema with structure.jsonSchema.schema as a string',
    ],
    [
      QWEN,
      converse(textFormat('{')),
      true,
      'The model returned the following errors: outputConfig.textFormat.structure.jsonSchema.schema: not valid JSON',
    ],
    [
      QWEN,
      converse({ additionalModelRequestFields: { reasoningConfig: { type: 'enabled' } } }),
      true,
      'The model returned the following errors: Malformed input request: #: extraneous key [reasoningConfig] is not permitted',
    ],
    [
      NOVA_2,
      converse({
        additionalModelRequestFields: { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'max' } },
      }),
      true,
      'The model returned the following errors: Malformed input request: #/reasoningConfig: expected enabled and low, medium or high',
    ],
    [
      NOVA_2,
      converse({
        inferenceConfig: { maxTokens: 5 },
        additionalModelRequestFields: { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'high' } },
      }),
      true,
      'The model returned the following errors: maxTokens must be unset when maxReasoningEffort is high.',
    ],
    [
      GPT_OSS,
      chat({ reasoning_effort: 'none' }),
      false,
      "reasoning_effort: Input should be 'low', 'medium' or 'high'",
    ],
    [
      GPT_OSS,
      chat({ response_format: { type: 'json_schema' } }),
      false,
      'response_format.schema: Field required',
    ],
  ];
  test.each(cases)('%s: %j', (modelId, body, isConverse, message) => {
    expect(ask(modelId, body, isConverse)).toEqual({ refusal: message });
  });

  test('and what they take', () => {
    expect(
      ask(
        NOVA_2,
        converse({ additionalModelRequestFields: { reasoningConfig: { type: 'disabled' } } }),
        true,
      ),
    ).toHaveProperty('output');
    expect(ask(GPT_OSS, chat({ response_format: { type: 'text' } }), false)).toHaveProperty('output');
  });
});
