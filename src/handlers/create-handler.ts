import { rm } from 'node:fs/promises';
import type { StepDeps } from '../steps/deps.ts';
import { diskFaultOf } from '../store/disk-fault.ts';
import type { StepName } from '../workflow/definition.ts';
import { parseEnvironment } from './environment.ts';
import { createStepDeps, SCRATCH_DIRECTORY } from './step-deps.ts';
import { doneLine, failedLine, type LogLine, publicError } from './step-log.ts';

/** What Lambda tells of an invocation, as far as it is logged. */
export interface InvocationContext {
  awsRequestId?: string;
}

/** A Lambda function's entry point. */
export type Handler = (event: unknown, context?: InvocationContext) => Promise<unknown>;

/** The entry point of one step: its world is made once, at cold start. */
export function createHandler(
  step: StepName,
  run: (input: unknown, deps: StepDeps) => Promise<unknown>,
): Handler {
  const deps = createStepDeps(parseEnvironment(process.env));
  return async (event, context) => {
    const startedAt = deps.clock.now();
    const log = (line: LogLine) =>
      writeLine({
        timestamp: new Date(deps.clock.now()).toISOString(),
        ...line,
        request_id: context?.awsRequestId,
        duration_ms: deps.clock.now() - startedAt,
      });
    // What an invocation that timed out has left would fill the disk of the ones after it.
    await rm(SCRATCH_DIRECTORY, { recursive: true, force: true });
    try {
      const output = await run(event, deps);
      log(doneLine(step, event, output));
      return output;
    } catch (thrown) {
      // As everywhere: a disk that is full has its name.
      const error = diskFaultOf(thrown) ?? thrown;
      log(failedLine(step, event, error));
      throw publicError(error);
    }
  };
}

/** One line of JSON; console would put Lambda's own columns before it. */
function writeLine(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
