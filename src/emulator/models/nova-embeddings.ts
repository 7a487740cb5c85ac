import { isJsonObject, type JsonObject } from '../../core/text/json-value.ts';
import {
  type EmulatedRequest,
  extraKeyOf,
  type ModelFamily,
  type ModelTraits,
  malformed,
  type Refusal,
} from './model-family.ts';
import { typeName } from './nova-messages.ts';
import { blockFaultText, MESSAGE_LIMITS, type MediaLimits, readShownMedia } from './shown-media.ts';

const FIELDS = new Set(['schemaVersion', 'taskType', 'singleEmbeddingParams']);
const PURPOSES = [
  'GENERIC_INDEX',
  'GENERIC_RETRIEVAL',
  'TEXT_RETRIEVAL',
  'IMAGE_RETRIEVAL',
  'VIDEO_RETRIEVAL',
  'DOCUMENT_RETRIEVAL',
  'AUDIO_RETRIEVAL',
  'CLASSIFICATION',
  'CLUSTERING',
];
const DIMENSIONS = [256, 384, 1024, 3072];
const MAX_CHARACTERS = 8192;
/** Only the request's payload bounds an image. */
const IMAGE_LIMITS: MediaLimits = {
  ...MESSAGE_LIMITS,
  maxImageBytes: 25_000_000,
  maxSide: Number.POSITIVE_INFINITY,
};

/** Bodies of Amazon Nova Multimodal Embeddings, of a text or an image. https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html */
export const novaEmbeddings: ModelFamily = {
  readRequest: (body, model) => {
    const extra = extraKeyOf(body, FIELDS);
    if (extra !== undefined) return malformed(`#: extraneous key [${extra}] is not permitted`);
    const { schemaVersion = 'nova-multimodal-embed-v1', taskType, singleEmbeddingParams: params } = body;
    if (schemaVersion !== 'nova-multimodal-embed-v1') {
      return malformed(`#/schemaVersion: ${String(schemaVersion)} is not a valid enum value`);
    }
    if (taskType === undefined) return malformed('#: required key [taskType] not found');
    if (taskType !== 'SINGLE_EMBEDDING') {
      return malformed(`#/taskType: ${String(taskType)} is not a valid enum value`);
    }
    if (!isJsonObject(params)) return malformed('#: required key [singleEmbeddingParams] not found');
    return readParams(params, model);
  },
  writeAnswer: (answer, { request }) => {
    if (answer.kind === 'text' || request.kind === 'text') return {};
    const { truncatedTo } = request;
    return {
      embeddings: [
        {
          embeddingType: request.isImage ? 'IMAGE' : 'TEXT',
          embedding: answer.vector,
          ...(truncatedTo === undefined ? {} : { truncatedCharLength: truncatedTo }),
        },
      ],
    };
  },
};

function readParams(params: JsonObject, model: ModelTraits): EmulatedRequest | Refusal {
  const at = '#/singleEmbeddingParams';
  const { embeddingPurpose, embeddingDimension = 3072, text, image } = params;
  if (embeddingPurpose === undefined) return malformed(`${at}: required key [embeddingPurpose] not found`);
  if (!PURPOSES.includes(String(embeddingPurpose))) {
    return malformed(`${at}/embeddingPurpose: ${String(embeddingPurpose)} is not a valid enum value`);
  }
  if (!DIMENSIONS.includes(Number(embeddingDimension))) {
    return malformed(`${at}/embeddingDimension: ${String(embeddingDimension)} is not a valid enum value`);
  }
  const request = {
    kind: 'embedding',
    dimensions: Number(embeddingDimension),
    normalize: true,
    types: ['float'],
  } as const;
  if (isJsonObject(image) && text === undefined) {
    const bytes = isJsonObject(image.source) ? image.source.bytes : undefined;
    if (typeof bytes !== 'string') return malformed(`${at}/image/source: required key [bytes] not found`);
    const told = { base64: bytes, format: String(image.format) };
    const shown = readShownMedia('image', told, { model, limits: IMAGE_LIMITS });
    if ('fault' in shown) return malformed(`${at}/image: ${blockFaultText(shown)}`);
    return { ...request, types: ['float'], text: shown.digest, isImage: true };
  }
  if (!isJsonObject(text)) return malformed(`${at}: required key [text] not found`);
  const { truncationMode, value } = text;
  if (truncationMode === undefined) return malformed(`${at}/text: required key [truncationMode] not found`);
  if (truncationMode !== 'START' && truncationMode !== 'END' && truncationMode !== 'NONE') {
    return malformed(`${at}/text/truncationMode: ${String(truncationMode)} is not a valid enum value`);
  }
  if (typeof value !== 'string') {
    return malformed(`${at}/text/value: expected type: String, found: ${typeName(value)}`);
  }
  if (value === '') return malformed(`${at}/text/value: expected minLength: 1, actual: 0`);
  if (value.length <= MAX_CHARACTERS) return { ...request, types: ['float'], text: value };
  if (truncationMode === 'NONE') {
    return malformed(`${at}/text/value: expected maxLength: ${MAX_CHARACTERS}, actual: ${value.length}`);
  }
  const kept = truncationMode === 'END' ? value.slice(0, MAX_CHARACTERS) : value.slice(-MAX_CHARACTERS);
  return { ...request, types: ['float'], text: kept, truncatedTo: MAX_CHARACTERS };
}
