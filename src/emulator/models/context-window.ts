import type { Question } from './answerer.ts';
import { type EmulatedRequest, messagesTokens, type Refusal, refuse } from './model-family.ts';

/** Refuses a prompt that is larger than the model's context, in the words of its family. */
export function refuseOverContext(
  request: EmulatedRequest,
  { model, invocationType }: Pick<Question, 'model' | 'invocationType'>,
): Refusal | undefined {
  const { baseId, contextTokens } = model;
  if (request.kind !== 'text' || contextTokens === undefined) return undefined;
  const tokens = messagesTokens(request.messages);
  if (tokens <= contextTokens) return undefined;
  const message = tooLong(baseId, tokens, contextTokens);
  return refuse(
    invocationType === 'Converse' ? `The model returned the following errors: ${message}` : message,
  );
}

/** As users report it of each maker's models. */
function tooLong(baseId: string, tokens: number, maximum: number): string {
  if (baseId.startsWith('anthropic.')) return `prompt is too long: ${tokens} tokens > ${maximum} maximum`;
  if (baseId.startsWith('amazon.')) {
    return 'Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try again.';
  }
  return `This model's maximum context length is ${maximum} tokens. Please reduce the length of the prompt`;
}
