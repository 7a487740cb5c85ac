import { expect, test } from 'vitest';
import { findEmulatedModel } from '../../../src/emulator/models/model-catalog.ts';
import { simulate, simulatedEmbedding } from '../../../src/emulator/models/simulated-model.ts';
import { pngOf } from '../../support/images.ts';

const NOVA_EMBEDDINGS = 'amazon.nova-2-multimodal-embeddings-v1:0';

function novaEmbedding(params: Record<string, unknown>, body: Record<string, unknown> = {}) {
  return {
    taskType: 'SINGLE_EMBEDDING',
    singleEmbeddingParams: {
      embeddingPurpose: 'GENERIC_INDEX',
      text: { truncationMode: 'END', value: 'a' },
      ...params,
    },
    ...body,
  };
}

function answer(body: Record<string, unknown>): unknown {
  const model = findEmulatedModel(NOVA_EMBEDDINGS, {
    accountId: '123456789012',
    region: 'us-east-1',
    applicationProfiles: {},
  });
  const request = model.family.readRequest(body, model, true);
  if (request.kind === 'refusal') return request.errorMessage;
  const context = { model, request, digest: () => 'd', atMs: 5000, inBatch: true };
  return model.family.writeAnswer(simulate(request, model), context);
}

test.each<[Record<string, unknown>, string]>([
  [{ taskType: 'SINGLE_EMBEDDING' }, '#: required key [singleEmbeddingParams] not found'],
  [{ singleEmbeddingParams: {} }, '#: required key [taskType] not found'],
  [novaEmbedding({}, { inputText: 'a' }), '#: extraneous key [inputText] is not permitted'],
  [
    novaEmbedding({}, { taskType: 'SEGMENTED_EMBEDDING' }),
    '#/taskType: SEGMENTED_EMBEDDING is not a valid enum value',
  ],
  [
    novaEmbedding({}, { schemaVersion: 'messages-v1' }),
    '#/schemaVersion: messages-v1 is not a valid enum value',
  ],
  [
    novaEmbedding({ embeddingPurpose: undefined }),
    '#/singleEmbeddingParams: required key [embeddingPurpose] not found',
  ],
  [
    novaEmbedding({ embeddingPurpose: 'SEARCH' }),
    '#/singleEmbeddingParams/embeddingPurpose: SEARCH is not a valid enum value',
  ],
  [
    novaEmbedding({ embeddingDimension: 512 }),
    '#/singleEmbeddingParams/embeddingDimension: 512 is not a valid enum value',
  ],
  [
    novaEmbedding({ text: { value: 'a' } }),
    '#/singleEmbeddingParams/text: required key [truncationMode] not found',
  ],
  [
    novaEmbedding({ text: { truncationMode: 'NONE', value: 5 } }),
    '#/singleEmbeddingParams/text/value: expected type: String, found: Integer',
  ],
  [
    novaEmbedding({ text: { truncationMode: 'NONE', value: 'x'.repeat(8193) } }),
    '#/singleEmbeddingParams/text/value: expected maxLength: 8192, actual: 8193',
  ],
])('%j is refused in the service’s words', (body, detail) => {
  expect(answer(body)).toBe(`Malformed input request: ${detail}, please reformat your input and try again.`);
});

test('Nova Multimodal Embeddings answers in its own shape, and says what it cut off a text', () => {
  const text = (value: string, truncationMode = 'END') =>
    novaEmbedding({ embeddingDimension: 256, text: { truncationMode, value } });
  const short = answer(text('Hello'));
  expect(short).toEqual({
    embeddings: [
      {
        embeddingType: 'TEXT',
        embedding: simulatedEmbedding(NOVA_EMBEDDINGS, 'Hello', { dimensions: 256 }),
      },
    ],
  });
  const long = `${'a'.repeat(5_000)}${'b'.repeat(5_000)}`;
  for (const [mode, kept] of [
    ['END', long.slice(0, 8192)],
    ['START', long.slice(-8192)],
  ] as const) {
    expect(answer(text(long, mode))).toEqual({
      embeddings: [
        {
          embeddingType: 'TEXT',
          embedding: simulatedEmbedding(NOVA_EMBEDDINGS, kept, { dimensions: 256 }),
          truncatedCharLength: 8192,
        },
      ],
    });
  }
  const image = { format: 'png', source: { bytes: pngOf(4, 4).toString('base64') } };
  expect(answer(novaEmbedding({ text: undefined, image }))).toMatchObject({
    embeddings: [{ embeddingType: 'IMAGE', embedding: expect.any(Array) }],
  });
});
