import { z } from 'zod';

/** The message of an execution's Cause, which may be the JSON that Lambda makes of an error. */
export function messageOfCause(cause: string | undefined): string | undefined {
  if (cause === undefined) return undefined;
  try {
    const { errorMessage } = z.object({ errorMessage: z.string() }).parse(JSON.parse(cause));
    return errorMessage;
  } catch {
    return cause;
  }
}
