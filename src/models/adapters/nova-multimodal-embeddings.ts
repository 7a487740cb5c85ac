import { withoutUndefined } from '../../core/text/json-value.ts';
import { IMAGE_FORMATS, MAX_REQUEST_BYTES, MEDIA_READ_ON } from '../media.ts';
import type { ModelAdapter } from './model-adapter.ts';

/** Of images that are no pages of a document. */
const DETAIL_LEVEL = 'STANDARD_IMAGE';

/**
 * Amazon Nova Multimodal Embeddings, of a text or an image. Its purpose, and what becomes of a text that is too long, have no default
 * there: without a word it is an index, and a long text is an error rather than cut unseen. Answers tell no tokens.
 * https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html
 */
export const novaMultimodalEmbeddings: ModelAdapter = {
  family: 'Amazon Nova Multimodal Embeddings',
  example: 'amazon.nova-2-multimodal-embeddings-v1:0',
  invocationType: 'InvokeModel',
  parameters: ['dimensions', 'embedding_purpose', 'truncation'],
  systemPrompt: false,
  dimensions: [256, 384, 1024, 3072],
  media: {
    image: { formats: IMAGE_FORMATS, most: 1 },
    maxRequestBytes: MAX_REQUEST_BYTES,
    source: 'https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html',
    date: MEDIA_READ_ON,
  },
  matches: ({ body }) => body === 'nova-embeddings',
  toModelInput: (prompt, { parameters, media: [image] = [] }) => {
    const { dimensions, embedding_purpose = 'generic_index', truncation = 'none' } = parameters;
    return {
      schemaVersion: 'nova-multimodal-embed-v1',
      taskType: 'SINGLE_EMBEDDING',
      singleEmbeddingParams: withoutUndefined({
        embeddingPurpose: embedding_purpose.toUpperCase(),
        embeddingDimension: dimensions,
        ...(image === undefined
          ? { text: { truncationMode: truncation.toUpperCase(), value: prompt } }
          : { image: { detailLevel: DETAIL_LEVEL, format: image.format, source: { bytes: image.base64 } } }),
      }),
    };
  },
  output: { kind: 'embedding', embedding: ['embeddings', 0, 'embedding'], inputTokens: undefined },
};
