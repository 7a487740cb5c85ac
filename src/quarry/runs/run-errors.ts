import * as errors from '../../core/errors.ts';
import { QuarryError } from '../../core/errors.ts';

/** The run was stopped here by its signal, the error’s cause; `quarry.resume` goes on with it. */
export class RunStoppedError extends QuarryError {
  override readonly name = 'RunStoppedError';
}

/** Nobody here follows the run any more; it goes on where it runs. */
export class RunDetachedError extends QuarryError {
  override readonly name = 'RunDetachedError';
  /** Why not, where it was not the signal. */
  readonly fault: QuarryError | undefined;

  constructor(message: string, { fault, ...options }: ErrorOptions & { fault: QuarryError | undefined }) {
    super(message, options);
    this.fault = fault;
  }
}

/** The run has ended, and its results are safe; only where they were to be put they could not be written. */
export class OutputNotWrittenError extends QuarryError {
  override readonly name = 'OutputNotWrittenError';
  /** Where they were to go. */
  readonly output: string;

  constructor(message: string, { output, ...options }: ErrorOptions & { output: string }) {
    super(message, options);
    this.output = output;
  }
}

type NamedError = new (message: string) => QuarryError;

/** Every class of error that a run may break with, as `core/errors.ts` has them. */
const NAMED_ERRORS = (Object.values(errors) as unknown[]).filter(
  (value): value is NamedError => typeof value === 'function' && value.prototype instanceof QuarryError,
);

/** The error of a name that an execution failed with: of its own class, where it is one of Quarry's. */
export function namedError(name: string, message: string): Error {
  for (const NamedError of NAMED_ERRORS) {
    const error = new NamedError(message);
    if (error.name === name) return error;
  }
  const error = new Error(message);
  error.name = name;
  return error;
}

/** The error, and which run it is of. */
export function aboutRun<E extends Error>(error: E, runId: string | undefined): E {
  return runId === undefined ? error : Object.assign(error, { runId });
}

/** The run that an error is of; undefined where it has none yet. */
export function runIdOf(error: unknown): string | undefined {
  const { runId } = (error ?? {}) as { runId?: unknown };
  return typeof runId === 'string' ? runId : undefined;
}
