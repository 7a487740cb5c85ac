/** An error inside an execution: what Retry and Catch match by its `error` name. */
export class StateError extends Error {
  override readonly name = 'StateError';
  readonly error: string;
  /** Undefined where a Fail state gives none. */
  readonly causeText: string | undefined;

  constructor(error: string, causeText?: string, options?: ErrorOptions) {
    super(causeText === undefined ? error : `${error}: ${causeText}`, options);
    this.error = error;
    this.causeText = causeText;
  }
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

/** A path that leads nowhere, in the words of Step Functions. */
export function pathNotFound(path: string, field: string, input: unknown): StateError {
  return new StateError(
    'States.Runtime',
    `The JSONPath '${path}' specified for the field '${field}' could not be found in the input '${excerpt(input)}'`,
  );
}

/** JSON for an error's text, cut where it would drown the rest. */
export function excerpt(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length <= 1000 ? text : `${text.slice(0, 1000)}…`;
}
