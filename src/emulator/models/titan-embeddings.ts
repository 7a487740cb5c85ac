import { isJsonObject } from '../../core/text/json-value.ts';
import {
  estimateTokens,
  extraKeyOf,
  type ModelFamily,
  malformed,
  refuse,
  stringsOf,
} from './model-family.ts';
import { typeName } from './nova-messages.ts';
import { blockFaultText, MESSAGE_LIMITS, type MediaLimits, readShownMedia } from './shown-media.ts';

const FIELDS = new Set(['inputText', 'dimensions', 'normalize', 'embeddingTypes']);
const MULTIMODAL_FIELDS = new Set(['inputText', 'inputImage', 'embeddingConfig']);
/** https://docs.aws.amazon.com/bedrock/latest/userguide/titan-embedding-models.html */
const MAX_CHARACTERS = 50_000;
const MAX_TOKENS = 8192;

/** Bodies of Amazon Titan Text Embeddings V2. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html */
export const titanTextEmbeddings: ModelFamily = {
  readRequest: (body) => {
    const extra = extraKeyOf(body, FIELDS);
    if (extra !== undefined) return malformed(`#: extraneous key [${extra}] is not permitted`);
    const text = body.inputText;
    if (text === undefined) return malformed('#: required key [inputText] not found');
    if (typeof text !== 'string')
      return malformed(`#/inputText: expected type: String, found: ${typeName(text)}`);
    if (text === '') return malformed('#/inputText: expected minLength: 1, actual: 0');
    if (text.length > MAX_CHARACTERS) {
      return malformed(`#/inputText: expected maxLength: ${MAX_CHARACTERS}, actual: ${text.length}`);
    }
    const tokens = Math.ceil(text.length / 4);
    if (tokens > MAX_TOKENS) {
      return refuse(
        `Too many input tokens. Max input tokens: ${MAX_TOKENS}, request input token count: ${tokens} `,
      );
    }
    const dimensions = body.dimensions ?? 1024;
    if (dimensions !== 1024 && dimensions !== 512 && dimensions !== 256) {
      return malformed(`#/dimensions: ${dimensions} is not a valid enum value`);
    }
    const normalize = body.normalize ?? true;
    if (typeof normalize !== 'boolean') {
      return malformed(`#/normalize: expected type: Boolean, found: ${typeName(normalize)}`);
    }
    const types = body.embeddingTypes === undefined ? ['float'] : stringsOf(body.embeddingTypes);
    const unknown = types.find((type) => type !== 'float' && type !== 'binary');
    if (unknown !== undefined) return malformed(`#/embeddingTypes/0: ${unknown} is not a valid enum value`);
    return {
      kind: 'embedding',
      text,
      dimensions,
      normalize,
      types: types.filter((type) => type === 'float' || type === 'binary'),
    };
  },
  writeAnswer: (answer, { request }) => {
    if (answer.kind === 'text' || request.kind === 'text') return {};
    const hasFloat = request.types.includes('float');
    return {
      ...(hasFloat ? { embedding: answer.vector } : {}),
      embeddingsByType: {
        ...(request.types.includes('binary')
          ? { binary: answer.vector.map((value) => (value > 0 ? 1 : 0)) }
          : {}),
        ...(hasFloat ? { float: answer.vector } : {}),
      },
      inputTextTokenCount: answer.inputTokens,
    };
  },
};

/** https://docs.aws.amazon.com/bedrock/latest/userguide/titan-multiemb-models.html */
const IMAGE_LIMITS: MediaLimits = {
  ...MESSAGE_LIMITS,
  formats: ['png', 'jpeg'],
  maxImageBytes: 25_000_000,
  maxSide: 2_048,
};

/** Bodies of Amazon Titan Multimodal Embeddings G1. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-mm.html */
export const titanMultimodalEmbeddings: ModelFamily = {
  readRequest: (body, model) => {
    const extra = extraKeyOf(body, MULTIMODAL_FIELDS);
    if (extra !== undefined) return malformed(`#: extraneous key [${extra}] is not permitted`);
    const { inputText = '', inputImage = '', embeddingConfig = {} } = body;
    if (typeof inputText !== 'string') {
      return malformed(`#/inputText: expected type: String, found: ${typeName(inputText)}`);
    }
    if (typeof inputImage !== 'string') {
      return malformed(`#/inputImage: expected type: String, found: ${typeName(inputImage)}`);
    }
    if (inputText === '' && inputImage === '')
      return refuse('Either inputText or inputImage must be provided.');
    const dimensions =
      (isJsonObject(embeddingConfig) ? embeddingConfig.outputEmbeddingLength : undefined) ?? 1024;
    if (dimensions !== 256 && dimensions !== 384 && dimensions !== 1024) {
      return malformed(`#/embeddingConfig/outputEmbeddingLength: ${dimensions} is not a valid enum value`);
    }
    const image =
      inputImage === ''
        ? undefined
        : readShownMedia('image', { base64: inputImage, format: undefined }, { model, limits: IMAGE_LIMITS });
    if (image !== undefined && 'fault' in image) return refuse(blockFaultText(image));
    return {
      kind: 'embedding',
      text: `${inputText}${image?.digest ?? ''}`,
      ...(image === undefined
        ? {}
        : { isImage: true, inputTokens: inputText === '' ? 0 : estimateTokens(inputText) }),
      dimensions,
      normalize: true,
      types: ['float'],
    };
  },
  writeAnswer: (answer) => {
    if (answer.kind === 'text') return {};
    return { embedding: answer.vector, inputTextTokenCount: answer.inputTokens, message: null };
  },
};
