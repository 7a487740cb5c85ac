import { z } from 'zod';
import { QuarryError } from '../core/errors.ts';
import { withoutUndefined } from '../core/text/json-value.ts';
import type { StepName } from '../workflow/definition.ts';

/** One line of a function's log: ids, counts and times, and never a word of the dataset. */
export type LogLine = Readonly<Record<string, unknown>> & { level: 'INFO' | 'ERROR'; message: string };

/** What a step's input may say of the run and the part. Everything else in it is nobody's business. */
const KnownIds = z.object({
  run_uri: z.string().optional().catch(undefined),
  part_id: z.string().optional().catch(undefined),
  wave: z.int().optional().catch(undefined),
  attempt: z.int().optional().catch(undefined),
  slice: z.int().optional().catch(undefined),
});

/** The ids in a step's input: of the run, the part or the slice. */
export function idsOf(input: unknown): Record<string, unknown> {
  const outer = z.object({ part: z.unknown() }).safeParse(input);
  const ids = KnownIds.safeParse(outer.data?.part ?? input);
  if (!ids.success) return {};
  const { run_uri, part_id, wave, attempt, slice } = ids.data;
  return withoutUndefined({
    run_id: run_uri?.split('/').at(-1),
    part_id,
    wave,
    attempt,
    slice,
  });
}

/** What a step's output may say: ids, counts, a status. */
const KnownResults = z.object({
  run_id: z.string().optional().catch(undefined),
  part_id: z.string().optional().catch(undefined),
  wave: z.int().optional().catch(undefined),
  decision: z.string().optional().catch(undefined),
  job_arn: z.string().nullish().catch(undefined),
  parts: z.int().optional().catch(undefined),
  records: z.int().optional().catch(undefined),
  status: z.string().optional().catch(undefined),
  rows: z.record(z.string(), z.int()).optional().catch(undefined),
});

/** The line of a step that is done. */
export function doneLine(step: StepName, input: unknown, output: unknown): LogLine {
  const results = KnownResults.safeParse(output);
  return {
    level: 'INFO',
    message: `${step} is done`,
    step,
    ...idsOf(input),
    ...withoutUndefined(results.data ?? {}),
  };
}

/** The line of a step that threw: of its message, what is for logs; of an error that is not ours, only where it was thrown. */
export function failedLine(step: StepName, input: unknown, error: unknown): LogLine {
  const { name = 'Error' } = error as Partial<Error>;
  return {
    level: 'ERROR',
    message: `${step} failed`,
    step,
    ...idsOf(input),
    error: name,
    ...(error instanceof QuarryError
      ? { error_message: error.publicMessage, retryable: error.retryable }
      : { thrown_at: framesOf(error) }),
  };
}

/** Frames of a stack that are logged. */
const MAX_FRAMES = 10;
const FRAME = /^\s+at /;

/** Where an error was thrown: places in the code, and not the message that stands above them. */
function framesOf(error: unknown): string[] {
  const { stack = '', message = '' } = error as Partial<Error>;
  const below = stack.includes(message) ? stack.slice(stack.indexOf(message) + message.length) : '';
  return below
    .split('\n')
    .filter((line) => FRAME.test(line))
    .slice(0, MAX_FRAMES)
    .map((line) => line.trim());
}

/**
 * What a function ends with instead of an error: of the same name, which the state machine matches, with what of its message is
 * for logs. Lambda writes whatever a function throws into its log.
 */
export function publicError(error: unknown): Error {
  const { name = 'Error' } = error as Partial<Error>;
  const message =
    error instanceof QuarryError
      ? error.publicMessage
      : 'What this error says may quote the dataset, so no log has it. The function’s log says where it was thrown.';
  const shown = Object.assign(new Error(message), { name });
  shown.stack = [`${name}: ${message}`, ...framesOf(error).map((frame) => `    ${frame}`)].join('\n');
  return shown;
}
