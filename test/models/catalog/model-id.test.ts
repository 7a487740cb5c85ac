import { describe, expect, test } from 'vitest';
import { findAdapter } from '../../../src/models/adapters/find-adapter.ts';
import { parseModelId } from '../../../src/models/catalog/model-id.ts';

const ANTHROPIC = 'Anthropic Claude';
const NOVA = 'Amazon Nova';
const TITAN = 'Amazon Titan Text Embeddings V2';
const CONVERSE = 'any other text model (Converse)';
const HAIKU_4_5 = 'anthropic.claude-haiku-4-5-20251001-v1:0';

// Ids from AWS's page of models for batch inference.
test.each([
  ['amazon.nova-micro-v1:0', undefined, 'amazon.nova-micro-v1:0', NOVA],
  ['amazon.nova-lite-v1:0:300k', undefined, 'amazon.nova-lite-v1:0:300k', NOVA],
  ['apac.amazon.nova-pro-v1:0', 'apac', 'amazon.nova-pro-v1:0', NOVA],
  ['us.amazon.nova-premier-v1:0', 'us', 'amazon.nova-premier-v1:0', NOVA],
  ['jp.amazon.nova-2-lite-v1:0', 'jp', 'amazon.nova-2-lite-v1:0', NOVA],
  ['global.amazon.nova-2-lite-v1:0', 'global', 'amazon.nova-2-lite-v1:0', NOVA],
  ['amazon.titan-embed-text-v2:0', undefined, 'amazon.titan-embed-text-v2:0', TITAN],
  ['anthropic.claude-3-haiku-20240307-v1:0', undefined, 'anthropic.claude-3-haiku-20240307-v1:0', ANTHROPIC],
  [
    'eu.anthropic.claude-3-7-sonnet-20250219-v1:0',
    'eu',
    'anthropic.claude-3-7-sonnet-20250219-v1:0',
    ANTHROPIC,
  ],
  [`au.${HAIKU_4_5}`, 'au', HAIKU_4_5, ANTHROPIC],
  [`us-gov.${HAIKU_4_5}`, 'us-gov', HAIKU_4_5, ANTHROPIC],
  [`ca.${HAIKU_4_5}`, 'ca', HAIKU_4_5, ANTHROPIC],
  ['us.meta.llama4-maverick-17b-instruct-v1:0', 'us', 'meta.llama4-maverick-17b-instruct-v1:0', CONVERSE],
  ['meta.llama3-1-405b-instruct-v1:0', undefined, 'meta.llama3-1-405b-instruct-v1:0', CONVERSE],
  ['mistral.ministral-3-8b-instruct', undefined, 'mistral.ministral-3-8b-instruct', CONVERSE],
  ['openai.gpt-oss-20b-1:0', undefined, 'openai.gpt-oss-20b-1:0', 'OpenAI gpt-oss'],
  ['openai.gpt-5.6-sol', undefined, 'openai.gpt-5.6-sol', CONVERSE],
  ['deepseek.v3-v1:0', undefined, 'deepseek.v3-v1:0', CONVERSE],
  ['deepseek.v3.2', undefined, 'deepseek.v3.2', CONVERSE],
  ['qwen.qwen3-235b-a22b-2507-v1:0', undefined, 'qwen.qwen3-235b-a22b-2507-v1:0', CONVERSE],
  ['google.gemma-3-27b-it', undefined, 'google.gemma-3-27b-it', CONVERSE],
  ['nvidia.nemotron-nano-3-30b', undefined, 'nvidia.nemotron-nano-3-30b', CONVERSE],
  ['zai.glm-4.7', undefined, 'zai.glm-4.7', CONVERSE],
  ['minimax.minimax-m2.1', undefined, 'minimax.minimax-m2.1', CONVERSE],
  ['moonshotai.kimi-k2.5', undefined, 'moonshotai.kimi-k2.5', CONVERSE],
])('%s is understood', (modelId, profilePrefix, baseModelId, family) => {
  expect(parseModelId(modelId)).toEqual({ modelId, profilePrefix, baseModelId });
  expect(findAdapter(modelId).family).toBe(family);
});

describe('an ARN', () => {
  test.each([
    [`arn:aws:bedrock:us-east-1::foundation-model/${HAIKU_4_5}`, undefined],
    [`arn:aws:bedrock:::foundation-model/${HAIKU_4_5}`, undefined],
    [`arn:aws-us-gov:bedrock:us-gov-west-1:111122223333:inference-profile/us-gov.${HAIKU_4_5}`, 'us-gov'],
    [`arn:aws:bedrock:eu-west-1:111122223333:inference-profile/eu.${HAIKU_4_5}`, 'eu'],
  ])('%s tells its model', (modelId, profilePrefix) => {
    expect(parseModelId(modelId)).toEqual({ modelId, profilePrefix, baseModelId: HAIKU_4_5 });
    expect(findAdapter(modelId).family).toBe(ANTHROPIC);
  });

  test.each([
    'arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3d4e5f6',
    'arn:aws:bedrock:us-east-1:111122223333:custom-model/amazon.nova-lite-v1:0:300k/a1b2c3d4e5f6',
  ])('%s does not tell its model and goes through Converse', (modelId) => {
    expect(parseModelId(modelId)).toEqual({ modelId, profilePrefix: undefined, baseModelId: undefined });
    expect(findAdapter(modelId).family).toBe(CONVERSE);
  });

  test('of an inference profile takes a version with a dot', () => {
    const modelId = 'arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.deepseek.v3.2';
    expect(parseModelId(modelId).baseModelId).toBe('deepseek.v3.2');
  });

  test('of what batch inference does not take is refused', () => {
    const modelId = 'arn:aws:bedrock:us-east-1:111122223333:provisioned-model/a1b2c3d4e5f6';
    expect(() => parseModelId(modelId)).toThrow(
      `model_id "${modelId}" is the ARN of a provisioned-model, which batch inference does not take. Use a foundation model, an inference profile or a custom model.`,
    );
  });
});

test.each([
  'claude',
  'gpt 4',
  'Anthropic.Claude',
  'us.',
  'a.b.c.d',
  'arn:aws:s3:::bucket',
  'arn:aws:bedrock:us-east-1::foundation-model/claude',
])('"%s" is not a model id', (modelId) => {
  expect(() => parseModelId(modelId)).toThrow(
    `model_id "${modelId}" is not a Bedrock model id. Write provider.model (anthropic.claude-3-haiku-20240307-v1:0), an inference profile (us.anthropic.…, global.…) or an ARN.`,
  );
});

test.each(['us.deepseek.v3.2', 'us.openai.gpt-5.6-sol'])(
  '%s is refused, as Bedrock refuses it',
  (modelId) => {
    expect(() => parseModelId(modelId)).toThrow(
      `model_id "${modelId}" has more dots than Bedrock takes in the model id of a batch job. Give the ARN of this inference profile instead: arn:aws:bedrock:…:inference-profile/${modelId}.`,
    );
  },
);

test.each([
  'amazon.nova-reel-v1:1',
  'us.amazon.nova-sonic-v1:0',
  'cohere.embed-v4:0',
  'amazon.rerank-v1:0',
  'stability.stable-image-core-v1:1',
  'twelvelabs.marengo-embed-2-7-v1:0',
])('%s is of no supported family', (modelId) => {
  expect(() => findAdapter(modelId)).toThrow(`model_id "${modelId}" is of no supported family.`);
});

test.each([
  ['nova-lite', 'us.amazon.nova-lite-v1:0?'],
  ['Nova Lite', 'us.amazon.nova-lite-v1:0?'],
  ['nova-lite-v1', 'us.amazon.nova-lite-v1:0?'],
  ['titan-embed-text', 'amazon.titan-embed-text-v2:0?'],
  ['claude-haiku-4.5', 'us.anthropic.claude-haiku-4-5-20251001-v1:0?'],
  ['claude-hiaku-4-5', 'us.anthropic.claude-haiku-4-5-20251001-v1:0?'],
  ['llama3-3-70b', 'us.meta.llama3-3-70b-instruct-v1:0?'],
  [
    'haiku',
    'us.anthropic.claude-haiku-4-5-20251001-v1:0, or us.anthropic.claude-3-5-haiku-20241022-v1:0, or anthropic.claude-3-haiku-20240307-v1:0?',
  ],
])('"%s" names the id that was meant', (word, meant) => {
  expect(() => parseModelId(word)).toThrow(
    new RegExp(`or an ARN\\. Did you mean ${meant.replace(/[.?]/g, '\\$&')}$`),
  );
});

test('a word that is like no model names none', () => {
  expect(() => parseModelId('gpt 4')).toThrow(/or an ARN\.$/);
});
