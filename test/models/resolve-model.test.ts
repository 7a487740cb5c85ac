import { describe, expect, test } from 'vitest';
import { InvalidRunInputError } from '../../src/core/errors.ts';
import { MODEL_ADAPTERS } from '../../src/models/adapters/find-adapter.ts';
import type { InferenceParameters } from '../../src/models/adapters/model-adapter.ts';
import { resolveModel } from '../../src/models/resolve-model.ts';

const HAIKU = 'anthropic.claude-3-haiku-20240307-v1:0';
const HAIKU_4_5 = 'global.anthropic.claude-haiku-4-5-20251001-v1:0';
const OPUS_5 = 'us.anthropic.claude-opus-5';
const NOVA_MICRO = 'us.amazon.nova-micro-v1:0';
const TITAN = 'amazon.titan-embed-text-v2:0';
const LLAMA_4 = 'us.meta.llama4-scout-17b-instruct-v1:0';
const GPT_OSS = 'openai.gpt-oss-20b-1:0';

function resolve(modelId: string, parameters: InferenceParameters = {}, systemPrompt?: string) {
  return () => resolveModel(modelId, { systemPrompt, parameters });
}

const refused: { name: string; call: () => unknown; message: string }[] = [
  {
    name: 'a model that gives no text and no embedding that Quarry knows',
    call: resolve('amazon.nova-canvas-v1:0'),
    message: `model_id "amazon.nova-canvas-v1:0" is of no supported family. Families: ${MODEL_ADAPTERS.map(({ family, example }) => `${family}: ${example}`).join('; ')}. Converse takes any text model, but this is not one, as its id says.`,
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
      'inference_parameters: Amazon Titan Text Embeddings V2 does not take max_tokens. It takes dimensions, normalize, embedding_type.',
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
      'inference_parameters: us.anthropic.claude-opus-5 refuses any temperature and top_p but 1. Leave them out.',
  },
  {
    name: 'a top_p for Claude Opus 5',
    call: resolve(OPUS_5, { top_p: 0.9 }),
    message:
      'inference_parameters: us.anthropic.claude-opus-5 refuses any temperature and top_p but 1. Leave them out.',
  },
  {
    name: 'a temperature over 1, through Converse',
    call: resolve(LLAMA_4, { temperature: 1.5 }),
    message:
      'inference_parameters.temperature is 1.5, but us.meta.llama4-scout-17b-instruct-v1:0 refuses more than 1.',
  },
  {
    name: 'dimensions that Titan does not give',
    call: resolve(TITAN, { dimensions: 300 }),
    message: 'inference_parameters.dimensions is 300; Amazon Titan Text Embeddings V2 gives 256, 512, 1024.',
  },
  {
    name: 'top_k for Claude Opus 5',
    call: resolve(OPUS_5, { top_k: 40 }),
    message: 'inference_parameters: us.anthropic.claude-opus-5 refuses top_k. Leave it out.',
  },
  ...['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'us.anthropic.claude-opus-4-6-v1'].map((modelId) => ({
    name: `temperature and top_p together for ${modelId}`,
    call: resolve(modelId, { temperature: 0, top_p: 0.5 }),
    message: `inference_parameters: ${modelId} refuses temperature and top_p together. Give one of them.`,
  })),
  ...['openai.gpt-oss-20b-1:0', 'qwen.qwen3-32b-v1:0', 'deepseek.v3-v1:0'].map((modelId) => ({
    name: `stop sequences for ${modelId}`,
    call: resolve(modelId, { stop_sequences: ['END'] }),
    message: `inference_parameters: ${modelId} refuses stop_sequences. Leave them out. To try it all the same, give force.`,
  })),
  {
    name: 'a stop sequence of white space for Claude',
    call: resolve(HAIKU_4_5, { stop_sequences: ['END', '\n\n'] }),
    message:
      'inference_parameters.stop_sequences has "\\n\\n", but global.anthropic.claude-haiku-4-5-20251001-v1:0 refuses one of white space alone. Leave it out.',
  },
  ...(
    [
      ['us.anthropic.claude-3-5-haiku-20241022-v1:0', 8192],
      ['us.anthropic.claude-3-5-sonnet-20241022-v2:0', 8192],
      ['us.anthropic.claude-opus-4-20250514-v1:0', 32_000],
      ['us.meta.llama3-1-70b-instruct-v1:0', 8192],
    ] as const
  ).map(([modelId, most]) => ({
    name: `max_tokens over the ceiling of ${modelId}`,
    call: resolve(modelId, { max_tokens: most + 1 }),
    message: `inference_parameters.max_tokens is ${most + 1}, but ${modelId} refuses more than ${most}.`,
  })),
  {
    name: 'a profile of another part of the world',
    call: () =>
      resolveModel('eu.anthropic.claude-haiku-4-5-20251001-v1:0', {
        systemPrompt: undefined,
        parameters: {},
        region: 'us-east-1',
      }),
    message:
      'model_id "eu.anthropic.claude-haiku-4-5-20251001-v1:0": Claude Haiku 4.5 cannot be called in us-east-1 through a profile of eu., which is for another part of the world. Use us.anthropic.claude-haiku-4-5-20251001-v1:0 or global.anthropic.claude-haiku-4-5-20251001-v1:0',
  },
  {
    name: 'a bare id that needs a profile',
    call: resolve('anthropic.claude-haiku-4-5-20251001-v1:0'),
    message:
      'model_id "anthropic.claude-haiku-4-5-20251001-v1:0": Claude Haiku 4.5 runs in batch only through an inference profile. Use us.anthropic.claude-haiku-4-5-20251001-v1:0 or global.anthropic.claude-haiku-4-5-20251001-v1:0; there are eu., jp., au. too. To try it all the same, give force.',
  },
  {
    name: 'a profile of a model that has none',
    call: resolve('us.amazon.titan-embed-text-v2:0'),
    message:
      'model_id "us.amazon.titan-embed-text-v2:0": Titan Text Embeddings V2 runs in batch only by its plain id. Use amazon.titan-embed-text-v2:0. To try',
  },
  {
    name: 'a model without batch, naming the one that has',
    call: resolve('us.anthropic.claude-haiku-5-5'),
    message:
      'model_id "us.anthropic.claude-haiku-5-5": Claude Haiku 5.5 has no batch inference: it is not on AWS’s list of models with batch inference (2026-10). Claude Haiku 4.5 has: us.anthropic.claude-haiku-4-5-20251001-v1:0 or global.anthropic.claude-haiku-4-5-20251001-v1:0; there are eu., jp., au. too. To try it all the same, give force.',
  },
  {
    name: 'an imported model',
    call: resolve('arn:aws:bedrock:us-east-1:111122223333:imported-model/a1b2c3d4e5f6'),
    message:
      'model_id "arn:aws:bedrock:us-east-1:111122223333:imported-model/a1b2c3d4e5f6" is the ARN of an imported-model, which batch inference does not take. Use a foundation model, an inference profile or a custom model.',
  },
  {
    name: 'a custom model’s deployment, forced or not',
    call: () =>
      resolveModel('arn:aws:bedrock:us-east-1:111122223333:custom-model-deployment/a1b2c3d4e5f6', {
        systemPrompt: undefined,
        parameters: {},
        force: true,
      }),
    message: 'is the ARN of a custom-model-deployment, which batch inference does not take.',
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
    { name: 'a temperature over 1, for gpt-oss', modelId: GPT_OSS, parameters: { temperature: 1.5 } },
  ])('$name is accepted', ({ modelId, parameters }) => {
    expect(resolve(modelId, parameters)().adapter.parameters).toEqual(
      expect.arrayContaining(Object.keys(parameters)),
    );
  });

  test('a model behind an ARN that does not tell it goes through Converse, without limits', () => {
    const arn = 'arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/a1b2c3d4e5f6';
    expect(resolve(arn, { max_tokens: 1_000_000 }, 'Be kind.')().adapter.invocationType).toBe('Converse');
  });
});

describe('a region', () => {
  const inRegion = (modelId: string, region: string) => () =>
    resolveModel(modelId, { systemPrompt: undefined, parameters: {}, region });

  test('without batch for the model says where there is', () => {
    expect(inRegion('amazon.titan-embed-text-v2:0', 'us-east-2')).toThrow(
      'model_id "amazon.titan-embed-text-v2:0": Titan Text Embeddings V2 has no batch inference in us-east-2. It has in ap-northeast-1, ap-northeast-2, ca-central-1, eu-central-1, eu-central-2, eu-north-1, eu-south-1, eu-south-2, eu-west-2, sa-east-1, us-east-1, us-west-2. To try it all the same, give force.',
    );
    expect(inRegion('amazon.titan-embed-text-v2:0', 'us-east-1')().notes).toEqual([]);
  });

  test('that takes only profiles of the model names the one of its geography', () => {
    expect(inRegion('amazon.nova-lite-v1:0', 'eu-west-1')).toThrow(
      'model_id "amazon.nova-lite-v1:0": Nova Lite has batch inference in eu-west-1 only through an inference profile. Use eu.amazon.nova-lite-v1:0; there are us., apac., ca. too.',
    );
    expect(inRegion('anthropic.claude-haiku-4-5-20251001-v1:0', 'ap-northeast-1')).toThrow(
      'Use jp.anthropic.claude-haiku-4-5-20251001-v1:0 or global.anthropic.claude-haiku-4-5-20251001-v1:0; there are us., eu., au. too.',
    );
    expect(inRegion('amazon.nova-lite-v1:0', 'us-east-1')().notes).toEqual([]);
  });

  test('that takes only the plain id says so', () => {
    expect(inRegion('us.amazon.nova-lite-v1:0', 'us-gov-west-1')).toThrow(
      'Nova Lite has batch inference in us-gov-west-1 only by its plain id. Use amazon.nova-lite-v1:0.',
    );
  });
});

describe('with force', () => {
  test('what the catalogue refuses is noted, and goes on', () => {
    const { adapter, notes } = resolveModel('us.anthropic.claude-haiku-5-5', {
      systemPrompt: undefined,
      parameters: { temperature: 0.5 },
      force: true,
    });
    expect(adapter.family).toBe('Anthropic Claude');
    expect(notes).toEqual([
      expect.stringMatching(
        /^model_id .* has no batch inference: .* It is tried all the same, as force is given\.$/,
      ),
      'inference_parameters: us.anthropic.claude-haiku-5-5 refuses any temperature and top_p but 1. Leave them out. It is tried all the same, as force is given.',
    ]);
  });

  test('a model of no family that is known is asked for text through Converse, but one that makes vectors is not', () => {
    const forced = (modelId: string) =>
      resolveModel(modelId, { systemPrompt: undefined, parameters: {}, force: true });
    const { adapter, notes } = forced('acme.video-writer-v1:0');
    expect(adapter.invocationType).toBe('Converse');
    expect(notes[0]).toBe(
      'model_id "acme.video-writer-v1:0" is of no supported family. It is asked for text through Converse all the same, as force is given.',
    );
    expect(() => resolve('acme.video-writer-v1:0')()).toThrow('is of no supported family.');
    expect(() => forced('cohere.embed-v4:0')).toThrow('is of no supported family.');
  });

  test('what no request of the family can say is refused still', () => {
    expect(() => resolveModel(TITAN, { systemPrompt: 'Be kind.', parameters: {}, force: true })).toThrow(
      'takes no system prompt',
    );
  });
});

describe('an id that the catalogue does not know', () => {
  test.each([
    [
      'us.anthropic.claude-9',
      'Whether us.anthropic.claude-9 has batch inference is not known (catalogue of 2026-10).',
    ],
    [
      'us.anthropic.claude-haiku-4-5',
      'Whether us.anthropic.claude-haiku-4-5 has batch inference is not known (catalogue of 2026-10). Did you mean us.anthropic.claude-haiku-4-5-20251001-v1:0?',
    ],
    [
      'llama-3.3-70b',
      'Whether llama-3.3-70b has batch inference is not known (catalogue of 2026-09-30). Did you mean us.meta.llama3-3-70b-instruct-v1:0?',
    ],
    [
      'nobody.unheard-of-v1:0',
      'Whether nobody.unheard-of-v1:0 has batch inference is not known (catalogue of 2026-09-30).',
    ],
  ])('%s is tried, and the plan notes it', (modelId, note) => {
    expect(resolve(modelId)().notes).toEqual([note]);
  });
});

describe('base_model_id', () => {
  const PROFILE = 'arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/a1b2c3d4e5f6';
  const standsFor = (baseModelId: string, parameters: InferenceParameters = {}, modelId = PROFILE) =>
    resolveModel(modelId, { systemPrompt: undefined, parameters, baseModelId });

  test('gives an application inference profile its family, price and limits', () => {
    expect(standsFor('eu.anthropic.claude-haiku-4-5-20251001-v1:0')).toMatchObject({
      adapter: { family: 'Anthropic Claude' },
      pricedId: 'eu.anthropic.claude-haiku-4-5-20251001-v1:0',
      notes: [],
    });
    expect(standsFor('anthropic.claude-haiku-4-5-20251001-v1:0').notes).toEqual([]);
    expect(standsFor(TITAN, { dimensions: 256 }).adapter.output.kind).toBe('embedding');
    expect(() => standsFor(NOVA_MICRO, { max_tokens: 10_001 })).toThrow(
      `inference_parameters.max_tokens is 10001, but ${PROFILE} refuses more than 10000.`,
    );
  });

  test('is asked for where an ARN does not tell its model', () => {
    expect(resolve(PROFILE)().notes).toEqual([
      `model_id "${PROFILE}" does not tell its model, so its price is not known and it is asked through Converse. Give base_model_id.`,
    ]);
  });

  test('is refused where it contradicts the model id, or tells nothing', () => {
    expect(() => standsFor(NOVA_MICRO, {}, TITAN)).toThrow(
      'base_model_id is "us.amazon.nova-micro-v1:0", but model_id "amazon.titan-embed-text-v2:0" is of amazon.titan-embed-text-v2:0. Leave base_model_id out.',
    );
    expect(() => standsFor(PROFILE)).toThrow(
      `base_model_id "${PROFILE}" does not tell its model either. Give the id of a model, like amazon.nova-lite-v1:0.`,
    );
    expect(() => standsFor('nova')).toThrow('base_model_id "nova" is not a Bedrock model id.');
    expect(standsFor(TITAN, {}, TITAN).notes).toEqual([]);
  });
});

test('what a family takes of images and documents has a source and a day; of Nova’s PDFs the request alone bounds the size', () => {
  const document = { kind: 'document', column: 'paper' } as const;
  const mediaOf = (modelId: string) =>
    resolveModel(modelId, { systemPrompt: undefined, parameters: {}, media: [document] }).adapter.media;
  expect(mediaOf('us.amazon.nova-lite-v1:0')?.document).toEqual({ formats: ['pdf'], most: 5 });
  expect(mediaOf('us.anthropic.claude-haiku-4-5-20251001-v1:0')).toMatchObject({
    document: { most: 5 },
    maxRequestBytes: 20_000_000,
  });
  for (const { media } of MODEL_ADAPTERS.filter((adapter) => adapter.media !== undefined)) {
    expect(media?.source).toMatch(/^https:\/\/docs\.aws\.amazon\.com\//);
    expect(media?.date).toMatch(/^2026-\d\d-\d\d$/);
  }
});
