import { runtimeError, StateError } from '../state-error.ts';

/** Bytes of UTF-8 JSON: "Maximum input or result data size for a task, state, or execution" (Step Functions quotas). */
export const MAX_PAYLOAD_BYTES = 262_144;

/** A copy of what JSON keeps of a value, if it is small enough to travel through a state machine. */
export function toPayload(value: unknown, what: string): unknown {
  const text = toPayloadText(value, what);
  return text === undefined ? null : JSON.parse(text);
}

/** Throws States.DataLimitExceeded where the value's JSON is larger than Step Functions takes. */
export function assertPayloadFits(value: unknown, what: string): void {
  toPayloadText(value, what);
}

/** Bytes of the value's JSON. */
export function payloadBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}

function toPayloadText(value: unknown, what: string): string | undefined {
  const text = stringify(value, what);
  // A UTF-16 unit is at most three bytes of UTF-8: small texts need no count.
  if (
    text !== undefined &&
    text.length * 3 > MAX_PAYLOAD_BYTES &&
    Buffer.byteLength(text) > MAX_PAYLOAD_BYTES
  )
    throw new StateError(
      'States.DataLimitExceeded',
      `${what} with a size exceeding the maximum number of bytes service limit.`,
    );
  return text;
}

function stringify(value: unknown, what: string): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // A BigInt, an object that contains itself, or one that is nested too deeply.
    throw runtimeError(`${what} that is not JSON: ${error instanceof Error ? error.message : error}`);
  }
}
