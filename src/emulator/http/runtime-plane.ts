import { isJsonObject } from '../../core/text/json-value.ts';
import type { EmulatorContext } from '../emulator-context.ts';
import { findEmulatedModel } from '../models/model-catalog.ts';
import type { ModelServer } from '../models/model-server.ts';
import type { UsageBook } from '../models/usage.ts';
import type { OperationResult } from './control-plane.ts';
import { ServiceError, type ServiceErrorName, validationError } from './service-error.ts';

/** InvokeModel and Converse. */
export interface RuntimePlane {
  invoke(modelId: string, bodyText: string, options: InvocationOptions): Promise<OperationResult>;
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
