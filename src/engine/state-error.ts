/** An error inside an execution: what Retry and Catch match by its `error` name. */
export class StateError extends Error {
  override readonly name = 'StateError';
  /** Empty where a Fail state gives none. */
  readonly error: string;
  readonly causeText: string | undefined;
  /** True of an error that a Task ended with: States.ALL takes it even where it is about the size of a result. */
  readonly ofTask: boolean;

  constructor(error: string, causeText?: string, options: ErrorOptions & { ofTask?: boolean } = {}) {
    super(causeText === undefined ? error : `${error}: ${causeText}`, options);
    this.error = error;
    this.causeText = causeText;
    this.ofTask = options.ofTask ?? false;
  }
}

/** What ended the iterations, branches or children of a state; the history tells once nothing is tried again. */
export class FailureWithin extends Error {
  override readonly name = 'FailureWithin';
  declare readonly cause: StateError;

  constructor(message: string, options: { cause: StateError }) {
    super(message, options);
  }
}

/** States.Runtime: something that neither Retry nor Catch takes. */
export function runtimeError(causeText: string): StateError {
  return new StateError('States.Runtime', causeText);
}

/** A StateError that says what failed, and why. */
export function stateErrorFrom(
  thrown: unknown,
  { error, what }: { error: string; what: string },
): StateError {
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new StateError(error, `${what}: ${reason}`, { cause: thrown });
}

/** The definition cannot be run by this engine. Nothing was run. */
export class InvalidDefinitionError extends Error {
  override readonly name = 'InvalidDefinitionError';
}

/** Adds the field that is being read to what is wrong with it. */
export function inField<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidDefinitionError)) throw error;
    throw new InvalidDefinitionError(`${field}: ${error.message}`, { cause: error });
  }
}

/** JSON for an error's text, cut where it would drown the rest. */
export function excerpt(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length <= 1000 ? text : `${text.slice(0, 1000)}…`;
}
