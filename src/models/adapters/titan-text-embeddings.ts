import { withoutUndefined } from '../../core/text/json-value.ts';
import type { ModelAdapter } from './model-adapter.ts';

/**
 * Amazon Titan Text Embeddings V2: one text, one vector; no `usage` in the answer.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
 */
export const titanTextEmbeddings: ModelAdapter = {
  family: 'Amazon Titan Text Embeddings V2',
  example: 'amazon.titan-embed-text-v2:0',
  invocationType: 'InvokeModel',
  parameters: ['dimensions', 'normalize', 'embedding_type'],
  systemPrompt: false,
  dimensions: [256, 512, 1024],
  matches: ({ body }) => body === 'titan-text-embeddings',
  toModelInput: (prompt, { parameters }) =>
    withoutUndefined({
      inputText: prompt,
      dimensions: parameters.dimensions,
      normalize: parameters.normalize,
      embeddingTypes: parameters.embedding_type === undefined ? undefined : [parameters.embedding_type],
    }),
  output: { kind: 'embedding', embedding: ['embedding'], inputTokens: ['inputTextTokenCount'] },
  outputUnder: ({ embedding_type: type }) =>
    type === 'binary'
      ? {
          kind: 'embedding',
          embedding: ['embeddingsByType', 'binary'],
          numbers: 'bits',
          inputTokens: ['inputTextTokenCount'],
        }
      : titanTextEmbeddings.output,
};
