import { isJsonObject } from '../../core/text/json-value.ts';
import { factsOf } from '../../models/catalog/model-catalog.ts';
import type { EmulatorContext } from '../emulator-context.ts';
import { findEmulatedModel } from '../models/model-catalog.ts';
import type { ModelServer } from '../models/model-server.ts';
import type { UsageBook } from '../models/usage.ts';
import type { OperationResult } from './control-plane.ts';
import { ServiceError, type ServiceErrorName, validationError } from './service-error.ts';

/** InvokeModel, Converse and CountTokens. */
export interface RuntimePlane {
  invoke(modelId: string, bodyText: string, options: InvocationOptions): Promise<OperationResult>;
  /** Nothing is answered, and nothing is paid. */
  countTokens(modelId: string, bodyText: string): Promise<OperationResult>;
}

/** How a model is called, and who answers in its place. */
export interface InvocationOptions {
  invocationType: 'InvokeModel' | 'Converse';
  server: ModelServer | undefined;
}

/** The calls for one answer at once. */
export function createRuntimePlane(context: EmulatorContext, usage: UsageBook): RuntimePlane {
  const { faults, answerer, clock, account } = context;
  return {
    countTokens: async (modelId, bodyText) => {
      const model = findEmulatedModel(modelId, account);
      const { invocationType, body } = readCountInput(readBody(bodyText));
      if (!countsTokens(modelId)) {
        throw validationError("The provided model doesn't support counting tokens.");
      }
      const counted = answerer.countInput({
        model,
        invocationType,
        body,
        bodyText,
        atMs: clock.now(),
        inBatch: false,
        server: undefined,
      });
      if (typeof counted !== 'number') throw new ServiceError('ValidationException', counted.errorMessage);
      return { body: { inputTokens: counted } };
    },
    invoke: async (modelId, bodyText, { invocationType, server }) => {
      const model = findEmulatedModel(modelId, account);
      const fault = faults.takeRequestFault('invoke', { ordinal: 0, jobName: '', modelId, tags: [] });
      if (fault !== undefined) await faults.save();
      if (fault?.kind === 'invoke-throttled') {
        throw new ServiceError('ThrottlingException', 'Too many requests, please wait before trying again.');
      }
      if (fault?.kind === 'invoke-error') throw new ServiceError(fault.errorName, fault.message);

      if (model.lacksProfile) throw validationError(needsProfile(modelId));
      const body = readBody(bodyText);
      const result = await answerer.answer({
        model,
        invocationType,
        body,
        bodyText,
        atMs: clock.now(),
        inBatch: false,
        server,
      });
      if (result.kind === 'refusal') {
        const { errorCode, errorMessage, retryAfterMs } = result;
        throw new ServiceError(
          errorNameOf(errorCode),
          errorMessage,
          retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) },
        );
      }
      await usage.addOnDemand({
        modelId,
        inputTokens: result.inputTokens,
        outputTokens: result.outputTokens,
        bodyText,
      });
      return {
        body: result.modelOutput,
        headers: {
          'x-amzn-bedrock-invocation-latency': String(200 + result.outputTokens * 10),
          'x-amzn-bedrock-input-token-count': String(result.inputTokens),
          ...(model.produces === 'text'
            ? { 'x-amzn-bedrock-output-token-count': String(result.outputTokens) }
            : {}),
        },
        ...(fault?.kind === 'invoke-response-lost' ? { lost: fault.how } : {}),
      };
    },
  };
}

/**
 * As far as is known, Claude models that are called by their own id, and neither Nova nor what needs a profile.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/count-tokens.html
 */
function countsTokens(modelId: string): boolean {
  const facts = factsOf(modelId);
  return facts?.body === 'claude-messages' && facts.batch.kind === 'yes' && facts.batch.plainIn.length > 0;
}

/** The body in one of the two forms that CountTokens takes. */
function readCountInput({ input }: Record<string, unknown>): {
  invocationType: InvocationOptions['invocationType'];
  body: Record<string, unknown>;
} {
  const { invokeModel, converse } = isJsonObject(input) ? input : {};
  if (isJsonObject(converse)) return { invocationType: 'Converse', body: converse };
  if (isJsonObject(invokeModel) && typeof invokeModel.body === 'string') {
    const text = Buffer.from(invokeModel.body, 'base64').toString();
    return { invocationType: 'InvokeModel', body: readBody(text) };
  }
  throw validationError(
    'Value at input failed to satisfy constraint: Member must have invokeModel or converse.',
  );
}

function needsProfile(modelId: string): string {
  return `Invocation of model ID ${modelId} with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.`;
}

function readBody(text: string): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text);
    if (isJsonObject(body)) return body;
  } catch (error) {
    throw validationError(
      `Malformed input request, please reformat your input and try again. (${String(error)})`,
    );
  }
  throw validationError('Malformed input request, please reformat your input and try again.');
}

function errorNameOf(httpStatus: number): ServiceErrorName {
  switch (httpStatus) {
    case 408:
      return 'ModelTimeoutException';
    case 429:
      return 'ThrottlingException';
    case 500:
      return 'InternalServerException';
    case 502:
    case 503:
    case 504:
      return 'ServiceUnavailableException';
    default:
      return httpStatus < 500 ? 'ValidationException' : 'ModelErrorException';
  }
}
