import { CliError, type FailureStatus } from '../cli-error.ts';
import { printable } from './format.ts';
import { withPasteable } from './pasteable.ts';

/** Commands that refuse before anything is there. */
const STARTING_COMMANDS = ['run', 'plan'];

/** A failure as `--json` prints it, on standard output. */
export interface FailureJson {
  status: FailureStatus;
  /** Name of the error: public, and the same in every version. */
  error: string;
  message: string;
  /** Null where there is no run yet. */
  run_id: string | null;
}

/** What a program is told of a command that failed. */
export function failureJson(error: Error, command: string | undefined): FailureJson {
  const { name, message } = error;
  return error instanceof CliError
    ? { status: error.status, error: name, message, run_id: error.runId ?? null }
    : {
        status: STARTING_COMMANDS.includes(command ?? '') ? 'refused' : 'failed',
        error: name,
        message,
        run_id: null,
      };
}

/** What people are told: what is wrong first, and last the name by which the documents know it. */
export function failureText({ name, message }: Pick<Error, 'name' | 'message'>): string {
  const text = printable(withPasteable(message));
  return name.endsWith('Error') ? `Error: ${text}\n(${name})` : `${name}: ${text}`;
}
