import { z } from 'zod';
import { OUTPUT_NOT_READY, RETRYABLE_ERROR_NAMES } from '../errors.ts';

/** Why a part has to wait, and since when: what is tried again for days tells it from the first time on. */
export const Waiting = z.object({
  error: z.string(),
  message: z.string(),
  /** When it was first met, ISO 8601. */
  since: z.string(),
});
export type Waiting = z.infer<typeof Waiting>;
Waiting.register(z.globalRegistry, { title: 'why a part waits' });

const WAITED_OUT: readonly string[] = [...RETRYABLE_ERROR_NAMES, OUTPUT_NOT_READY];

/** What an error says of a wait, which goes on where it is the same as before; undefined where nobody waits for its end. */
export function waitingOf(
  error: unknown,
  { before, nowMs }: { before: Waiting | undefined; nowMs: number },
): Waiting | undefined {
  const { name, message } = error as Error;
  if (!WAITED_OUT.includes(name)) return undefined;
  const since = before?.error === name ? before.since : new Date(nowMs).toISOString();
  return { error: name, message, since };
}
