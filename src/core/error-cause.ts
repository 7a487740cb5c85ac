import { z } from 'zod';

/** The message of an execution's Cause, which may be the JSON that Lambda makes of an error; none of an empty one. */
export function messageOfCause(cause: string | undefined): string | undefined {
  if (cause === undefined || cause === '') return undefined;
  try {
    const { errorMessage } = z.object({ errorMessage: z.string() }).parse(JSON.parse(cause));
    return errorMessage;
  } catch {
    return cause;
  }
}
