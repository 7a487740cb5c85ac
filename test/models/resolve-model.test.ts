import { describe, expect, test } from 'vitest';
import { InvalidRunInputError } from '../../src/core/errors.ts';
import type { InferenceParameters } from '../../src/models/adapters/model-adapter.ts';
import { resolveModel } from '../../src/models/resolve-model.ts';

const HAIKU = 'anthropic.claude-3-haiku-20240307-v1:0';
const HAIKU_4_5 = 'global.anthropic.claude-haiku-4-5-20251001-v1:0';
const OPUS_5 = 'us.anthropic.claude-opus-5-v1:0';
const NOVA_MICRO = 'us.amazon.nova-micro-v1:0';
const TITAN = 'amazon.titan-embed-text-v2:0';
const LLAMA_4 = 'us.meta.llama4-scout-17b-instruct-v1:0';

function resolve(modelId: string, parameters: InferenceParameters = {}, systemPrompt?: string) {
  return () => resolveModel(modelId, { systemPrompt, parameters });
}

const refused: { name: string; call: () => unknown; message: string }[] = [
  {
    name: 'a model that gives no text and no embedding that Quarry knows',
    call: resolve('amazon.nova-canvas-v1:0'),
    message:
      'model_id "amazon.nova-canvas-v1:0" is of no supported family. Families: Amazon Nova: us.amazon.nova-lite-v1:0; Anthropic Claude: us.anthropic.claude-haiku-4-5-20251001-v1:0; Amazon Titan Text Embeddings V2: amazon.titan-embed-text-v2:0; any other text model (Converse): us.meta.llama3-3-70b-instruct-v1:0. Converse takes any text model, but this is not one, as its id says.',
  },
  {
    name: 'a parameter that the family does not take',
    call: resolve(LLAMA_4, { top_k: 5, dimensions: 256, max_tokens: 10 }),
    message:
      'inference_parameters: any other text model (Converse) does not take top_k, dimensions. It takes max_tokens, temperature, top_p, stop_sequences.',
  },
  {
    name: 'a parameter of text for an embedding',
    call: resolve(TITAN, { max_tokens: 10 }),
    message:
      'inference_parameters: Amazon Titan Text Embeddings V2 does not take max_tokens. It takes dimensions, normalize.',
  },
  {
    name: 'a system prompt for an embedding',
    call: resolve(TITAN, {}, 'Be kind.'),
    message: 'system_prompt: Amazon Titan Text Embeddings V2 takes no system prompt. Leave it out.',
  },
  {
    name: 'max_tokens over the ceiling of the model',
    call: resolve(NOVA_MICRO, { max_tokens: 10_001 }),
    message:
      'inference_parameters.max_tokens is 10001, but us.amazon.nova-micro-v1:0 refuses more than 10000.',
  },
  {
    name: 'a temperature over that of the family',
    call: resolve(HAIKU, { temperature: 1.5 }),
    message:
      'inference_parameters.temperature is 1.5, but anthropic.claude-3-haiku-20240307-v1:0 refuses more than 1.',
  },
  {
    name: 'temperature and top_p together for Claude Haiku 4.5',
    call: resolve(HAIKU_4_5, { temperature: 0, top_p: 0.5 }),
    message:
      'inference_parameters: global.anthropic.claude-haiku-4-5-20251001-v1:0 refuses temperature and top_p together. Give one of them.',
  },
  {
    name: 'a temperature for Claude Opus 5',
    call: resolve(OPUS_5, { temperature: 0 }),
    message:
      'inference_parameters: us.anthropic.claude-opus-5-v1:0 refuses any temperature and top_p but 1. Leave them out.',
  },
  {
    name: 'a top_p for Claude Opus 5',
    call: resolve(OPUS_5, { top_p: 0.9 }),
    message:
      'inference_parameters: us.anthropic.claude-opus-5-v1:0 refuses any temperature and top_p but 1. Leave them out.',
  },
  {
    name: 'dimensions that Titan does not give',
    call: resolve(TITAN, { dimensions: 300 }),
    message: 'inference_parameters.dimensions is 300; Amazon Titan Text Embeddings V2 gives 256, 512, 1024.',
  },
];

test.each(refused)('$name is refused before anything is spent', ({ call, message }) => {
  expect(call).toThrow(InvalidRunInputError);
  expect(call).toThrow(message);
});

describe('what a model takes', () => {
  test.each<{ name: string; modelId: string; parameters: InferenceParameters }>([
    { name: 'the ceiling itself', modelId: NOVA_MICRO, parameters: { max_tokens: 10_000 } },
    { name: 'temperature alone', modelId: HAIKU_4_5, parameters: { temperature: 1 } },
    { name: 'top_p alone', modelId: HAIKU_4_5, parameters: { top_p: 0.5 } },
    { name: 'both, for an older model', modelId: HAIKU, parameters: { temperature: 1, top_p: 0.5 } },
    { name: 'sampling that changes nothing', modelId: OPUS_5, parameters: { temperature: 1, top_p: 1 } },
    { name: 'no sampling parameters', modelId: OPUS_5, parameters: {} },
    { name: 'a known dimension', modelId: TITAN, parameters: { dimensions: 512, normalize: true } },
    { name: 'a temperature over 1, through Converse', modelId: LLAMA_4, parameters: { temperature: 1.5 } },
  ])('$name is accepted', ({ modelId, parameters }) => {
    expect(resolve(modelId, parameters)().parameters).toEqual(
      expect.arrayContaining(Object.keys(parameters)),
    );
  });

  test('a model behind an ARN that does not tell it goes through Converse, without limits', () => {
    const arn = 'arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/a1b2c3d4e5f6';
    expect(resolve(arn, { max_tokens: 1_000_000 }, 'Be kind.')().invocationType).toBe('Converse');
  });
});
