import type { Bedrock, InvokeResult } from '../../bedrock/bedrock.ts';
import { BedrockThrottledError, ServiceUnavailableError } from '../../core/errors.ts';
import { sentenceOf } from '../../core/text/sentence.ts';
import type { StepDeps } from '../deps.ts';

/** Asks for one record's answer. */
export type Ask = Bedrock['invoke'];

/** Milliseconds before each further try of a record, unless the server asks for more. */
const WAITS_MS = [1000, 2000, 4000, 8000, 16_000];
/** Milliseconds that a server may ask for. */
const MAX_ASKED_WAIT_MS = 300_000;

/** What all records of a part know of the server. */
interface ServerMood {
  /** The rest that it gets now; everybody waits for it. */
  rest: Promise<void> | undefined;
  /** Rests since its last answer. */
  rests: number;
  /** What it said last, once it has had all of its rests: nothing more is asked. */
  down: Later | undefined;
}

interface Later {
  errorCode: number;
  errorMessage: string;
  retryAfterMs: number;
}

/**
 * Asks a server of the user's own, which may be busy, or gone: a record that it has no answer to is asked for six times at most, and
 * then has its error, as an attempt. Amazon Bedrock is waited for by the state machine instead, for days if need be.
 */
export function createPatientAsker(
  { bedrock, clock }: Pick<StepDeps, 'bedrock' | 'clock'>,
  onWait: (error: string, message: string) => void,
): Ask {
  const mood: ServerMood = { rest: undefined, rests: 0, down: undefined };
  const restFor = (later: Later): Promise<void> => {
    const waitMs = WAITS_MS[mood.rests];
    if (waitMs === undefined) {
      mood.down = later;
      return Promise.resolve();
    }
    mood.rests += 1;
    const restMs = Math.max(waitMs, Math.min(later.retryAfterMs, MAX_ASKED_WAIT_MS));
    onWait(
      String(later.errorCode),
      `${later.errorMessage} It is asked again in ${Math.ceil(restMs / 1000)} s.`,
    );
    return clock.rest(restMs);
  };
  return async (...call) => {
    for (let tries = 1; ; tries += 1) {
      await mood.rest;
      if (mood.down !== undefined) return notAsked(mood.down);
      const result = await askLater(bedrock, call);
      if (!('retryAfterMs' in result)) {
        mood.rests = 0;
        return result;
      }
      if (tries > WAITS_MS.length) return { kind: 'failed', ...without(result) };
      mood.rest ??= restFor(result).finally(() => {
        mood.rest = undefined;
      });
    }
  };
}

async function askLater(bedrock: Bedrock, call: Parameters<Ask>): Promise<InvokeResult | Later> {
  try {
    return await bedrock.invoke(...call);
  } catch (error) {
    if (!(error instanceof BedrockThrottledError || error instanceof ServiceUnavailableError)) throw error;
    const cause = error.cause as Partial<SdkError> | undefined;
    const seconds = Number(cause?.$response?.headers?.['retry-after'] ?? 0);
    return {
      errorCode: cause?.$metadata?.httpStatusCode ?? (error instanceof BedrockThrottledError ? 429 : 503),
      errorMessage: sentenceOf(error.message),
      retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : 0,
    };
  }
}

/** The parts of an SDK's error that tell of the response. */
interface SdkError {
  $metadata: { httpStatusCode?: number };
  $response: { headers?: Record<string, string> };
}

function without({ errorCode, errorMessage }: Later) {
  return { errorCode, errorMessage };
}

function notAsked(down: Later): InvokeResult {
  return {
    kind: 'failed',
    errorCode: down.errorCode,
    errorMessage: `Not asked for, as the server had no answer to the records before: ${down.errorMessage}`,
  };
}
