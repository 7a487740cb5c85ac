import { withoutUndefined } from '../../core/text/json-value.ts';
import { MAX_REQUEST_BYTES, MEDIA_READ_ON } from '../media.ts';
import type { ModelAdapter } from './model-adapter.ts';

/**
 * Amazon Titan Multimodal Embeddings G1, of a text, an image, or both.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-mm.html
 */
export const titanMultimodalEmbeddings: ModelAdapter = {
  family: 'Amazon Titan Multimodal Embeddings G1',
  example: 'amazon.titan-embed-image-v1',
  invocationType: 'InvokeModel',
  parameters: ['dimensions'],
  systemPrompt: false,
  dimensions: [256, 384, 1024],
  media: {
    image: { formats: ['png', 'jpeg'], maxSide: 2_048, most: 1 },
    besideText: true,
    maxRequestBytes: MAX_REQUEST_BYTES,
    source: 'https://docs.aws.amazon.com/bedrock/latest/userguide/titan-multiemb-models.html',
    date: MEDIA_READ_ON,
  },
  matches: ({ body }) => body === 'titan-multimodal-embeddings',
  toModelInput: (prompt, { parameters: { dimensions }, media: [image] = [] }) =>
    withoutUndefined({
      inputText: prompt === '' && image !== undefined ? undefined : prompt,
      inputImage: image?.base64,
      embeddingConfig: dimensions === undefined ? undefined : { outputEmbeddingLength: dimensions },
    }),
  output: { kind: 'embedding', embedding: ['embedding'], inputTokens: ['inputTextTokenCount'] },
};
