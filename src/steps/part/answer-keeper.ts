import pLimit from 'p-limit';
import type { S3Uri } from '../../core/s3-uri.ts';
import type { StepDeps } from '../deps.ts';

/** Milliseconds before each further try to write an answer; half a minute in all. */
const RETRY_DELAYS_MS = [250, 500, 1000, 2000, 4000, 8000, 16_000];

/** Keeps answers that were paid for: whoever asks for one again pays again. */
export interface AnswerKeeper {
  /** Waits until every answer so far is kept; false where one could not be: then nothing more may be asked for. */
  isSound(): Promise<boolean>;
  /** Writes an answer, and tries again while the store fails, whatever else happens to the run. */
  keep(uri: S3Uri, answer: string): Promise<void>;
  /** Throws what the store said last where answers were lost, and how many. */
  throwIfLost(): void;
}

/** A keeper of the answers that one step asks for. */
export function createAnswerKeeper({ store, clock }: Pick<StepDeps, 'store' | 'clock'>): AnswerKeeper {
  // One wait at a time; the others wait for it.
  const oneByOne = pLimit(1);
  let lost = 0;
  let lastError: unknown;

  const tryAgain = async (uri: S3Uri, answer: string): Promise<void> => {
    // Where one answer had all of its tries in vain, the others get one more.
    for (const delayMs of lost === 0 ? RETRY_DELAYS_MS : [0]) {
      await clock.rest(delayMs);
      try {
        return await store.write(uri, answer);
      } catch (error) {
        lastError = error;
      }
    }
    lost += 1;
  };

  return {
    isSound: async () => {
      await oneByOne(async () => {});
      return lost === 0;
    },
    keep: async (uri, answer) => {
      try {
        await store.write(uri, answer);
      } catch {
        await oneByOne(() => tryAgain(uri, answer));
      }
    },
    throwIfLost: () => {
      if (lost === 0) return;
      const error = lastError instanceof Error ? lastError : new Error(String(lastError));
      const answers = lost === 1 ? 'One answer that was' : `${lost} answers that were`;
      // Of its own class still, which says whether the step is worth trying again.
      error.message = `${answers} paid for could not be stored, and must be requested again: ${error.message}`;
      throw error;
    },
  };
}
