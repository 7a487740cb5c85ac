import { describe, expect, test } from 'vitest';
import { converseBodies } from '../../../src/emulator/models/converse-bodies.ts';
import { findEmulatedModel } from '../../../src/emulator/models/model-catalog.ts';
import { toServerRequest } from '../../../src/emulator/models/model-server-client.ts';
import { simulate } from '../../../src/emulator/models/simulated-model.ts';
import { gifOf, jpegOf, pdfOf, pngOf, webpOf } from '../../support/images.ts';
import { CLAUDE } from '../emulator-bench.ts';

const ACCOUNT = { accountId: '123456789012', region: 'us-east-1', applicationProfiles: {} };
const NOVA = 'us.amazon.nova-lite-v1:0';
const QWEN_VL = 'qwen.qwen3-vl-235b-a22b';
const NOVA_EMBEDDINGS = 'amazon.nova-2-multimodal-embeddings-v1:0';

interface Shown {
  kind?: 'image' | 'document';
  format?: string;
  bytes: Buffer | string;
}

function readOf(modelId: string, body: Record<string, unknown>, asConverse: boolean) {
  const model = findEmulatedModel(modelId, ACCOUNT);
  const family = asConverse ? converseBodies : model.family;
  return { model, family, request: family.readRequest(body, model, true) };
}

function answer(modelId: string, body: Record<string, unknown>, asConverse = false): string {
  const { model, family, request } = readOf(modelId, body, asConverse);
  if (request.kind === 'refusal') return request.errorMessage;
  const context = { model, request, digest: () => 'd', atMs: 0, inBatch: false };
  return JSON.stringify(family.writeAnswer(simulate(request, model), context));
}

function base64Of({ bytes }: Shown): string {
  return typeof bytes === 'string' ? bytes : bytes.toString('base64');
}

/** A body of each form that shows these, before a question. */
const FORMS: Record<
  string,
  { modelId: string; bodyOf: (shown: readonly Shown[]) => Record<string, unknown> }
> = {
  claude: {
    modelId: CLAUDE,
    bodyOf: (shown) => ({
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: 500,
      messages: [
        {
          role: 'user',
          content: [
            ...shown.map(({ kind = 'image', format = 'png', ...one }) => ({
              type: kind,
              source: {
                type: 'base64',
                media_type: kind === 'image' ? `image/${format}` : 'application/pdf',
                data: base64Of(one as Shown),
              },
            })),
            { type: 'text', text: 'What is it?' },
          ],
        },
      ],
    }),
  },
  blocks: {
    modelId: NOVA,
    bodyOf: (shown) => ({
      messages: [
        {
          role: 'user',
          content: [
            ...shown.map(({ kind = 'image', format = 'png', ...one }) => ({
              [kind]: {
                format,
                ...(kind === 'document' ? { name: 'd' } : {}),
                source: { bytes: base64Of(one as Shown) },
              },
            })),
            { text: 'What is it?' },
          ],
        },
      ],
    }),
  },
  chat: {
    modelId: QWEN_VL,
    bodyOf: (shown) => ({
      messages: [
        {
          role: 'user',
          content: [
            ...shown.map(({ format = 'png', ...one }) => ({
              type: 'image_url',
              image_url: { url: `data:image/${format};base64,${base64Of(one as Shown)}` },
            })),
            { type: 'text', text: 'What is it?' },
          ],
        },
      ],
    }),
  },
};

describe.each(Object.entries(FORMS))('images in the form of %s', (_, { modelId, bodyOf }) => {
  test('are seen: the answer is labelled, and names each of them', () => {
    const text = answer(
      modelId,
      bodyOf([{ bytes: pngOf(20, 30) }, { format: 'jpeg', bytes: jpegOf(40, 50) }]),
    );
    expect(text).toContain(`[simulated ${modelId}]`);
    expect(text).toContain('an image (png, 20 × 30 pixels)');
    expect(text).toContain('an image (jpeg, 40 × 50 pixels)');
  });

  test('count as tokens, and another image is another answer', () => {
    const of = (bytes: Buffer) => answer(modelId, bodyOf([{ bytes }]));
    expect(of(pngOf(20, 30, 1))).not.toBe(of(pngOf(20, 30, 2)));
    expect(of(pngOf(600, 500))).toMatch(/"(?:input_tokens|inputTokens|prompt_tokens)":40[0-9]/);
  });

  test.each<[string, Shown, RegExp]>([
    ['another format than is said', { bytes: jpegOf(4, 4) }, /does not match|appears to be another/],
    ['no image at all', { bytes: Buffer.from('hello!') }, /[Cc]ould not process image/],
    ['a PNG without a size', { bytes: pngOf(4, 4).subarray(0, 10) }, /[Cc]ould not process image/],
    ['what is no Base64', { bytes: '%%%' }, /[Bb]ase64/],
    ['too many pixels', { bytes: pngOf(8_001, 1) }, /8000 pixels/],
    ['too many bytes', { format: 'jpeg', bytes: jpegOf(4, 4, 3_750_000) }, /maximum/],
  ])('are refused: %s', (_name, shown, message) => {
    expect(answer(modelId, bodyOf([shown]))).toMatch(message);
  });

  test('are refused where there are more than twenty', () => {
    const shown = Array.from({ length: 21 }, (_one, index) => ({ bytes: pngOf(2, 2, index) }));
    expect(answer(modelId, bodyOf(shown))).toMatch(/21/);
  });
});

test.each([
  ['gif', gifOf(3, 4)],
  ['webp', webpOf(3, 4)],
])('%s is an image too', (format, bytes) => {
  expect(answer(NOVA, FORMS.blocks?.bodyOf([{ format, bytes }]) ?? {})).toContain(
    `(${format}, 3 × 4 pixels)`,
  );
});

test('a model without vision refuses images, and one that reads none refuses documents', () => {
  const body = FORMS.blocks?.bodyOf([{ bytes: pngOf(2, 2) }]) ?? {};
  expect(answer('us.amazon.nova-micro-v1:0', body)).toContain("doesn't support the image field");
  expect(answer('us.meta.llama3-3-70b-instruct-v1:0', body, true)).toBe(
    "This model doesn't support the image field. Remove image and try again.",
  );
  const claude = FORMS.claude?.bodyOf([{ kind: 'document', bytes: pdfOf('a') }]) ?? {};
  expect(answer('anthropic.claude-3-haiku-20240307-v1:0', claude)).toContain(
    'does not support document input',
  );
});

test('documents are seen by Claude and through Converse, and must be PDFs', () => {
  const document = (bytes: Buffer) => [{ kind: 'document', format: 'pdf', bytes } as const];
  expect(answer(CLAUDE, FORMS.claude?.bodyOf(document(pdfOf('a'))) ?? {})).toContain(
    'a document (pdf, 19 bytes)',
  );
  expect(answer(NOVA, FORMS.blocks?.bodyOf(document(pdfOf('a'))) ?? {}, true)).toContain(
    'a document (pdf, 19 bytes)',
  );
  expect(answer(CLAUDE, FORMS.claude?.bodyOf(document(pngOf(2, 2))) ?? {})).toBe('Could not process PDF');
});

test('a link to S3 is not followed: it is refused as an image without bytes', () => {
  const source = { s3Location: { uri: 's3://bucket/in/a.png' } };
  const content = [{ image: { format: 'png', source } }, { text: 'What is it?' }];
  expect(answer(NOVA, { messages: [{ role: 'user', content }] })).toContain(
    'The image source has no valid bytes. Provide them in Base64 and try again.',
  );
});

test('embeddings are of the image, and refuse what the model does not read', () => {
  const titan = (bytes: Buffer) =>
    answer('amazon.titan-embed-image-v1', { inputImage: bytes.toString('base64') });
  expect(titan(pngOf(2, 2, 1))).not.toBe(titan(pngOf(2, 2, 2)));
  expect(titan(webpOf(2, 2))).toBe('Could not process image.');
  const nova = (format: string, bytes: Buffer) =>
    answer(NOVA_EMBEDDINGS, {
      taskType: 'SINGLE_EMBEDDING',
      singleEmbeddingParams: {
        embeddingPurpose: 'GENERIC_INDEX',
        image: { detailLevel: 'STANDARD_IMAGE', format, source: { bytes: bytes.toString('base64') } },
      },
    });
  expect(nova('webp', webpOf(2, 2))).toContain('"embeddingType":"IMAGE"');
  expect(nova('png', jpegOf(2, 2))).toContain('does not match the specified image format');
});

test('a model server gets images as its protocol has them', () => {
  const { request } = readOf(NOVA, FORMS.blocks?.bodyOf([{ bytes: pngOf(2, 2) }]) ?? {}, false);
  if (request.kind === 'refusal') throw new Error(request.errorMessage);
  const { body } = toServerRequest(request, 'llava');
  expect(body).toMatchObject({
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: expect.stringMatching(/^data:image\/png;base64,iVBO/) } },
          { type: 'text', text: 'What is it?' },
        ],
      },
    ],
  });
});
