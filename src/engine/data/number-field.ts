import { scopeOf, type Visit } from '../definition/prepared-state.ts';
import { inField, runtimeError } from '../state-error.ts';
import { MAX_PAYLOAD_BYTES } from './payload.ts';
import { compileExpression, notFoundIn, type WhenMissing } from './payload-template.ts';

/** The number that a field gives, or that its `Path` sibling leads to at run time; undefined without either. */
export type NumberField = (data: unknown, visit: Visit) => number | undefined;

/** Turns what a path leads to into a number, or throws in the words that Step Functions has for the field. */
type ReadNumber = (value: unknown, path: string) => number;

/** A number, and what it may be where it comes from the input. The field itself was checked with the definition. */
export function prepareNumber(
  state: object,
  { field, read, whenMissing }: { field: string; read: ReadNumber; whenMissing?: WhenMissing },
): NumberField {
  const fields: { [field: string]: unknown } = { ...state };
  const fixed = fields[field];
  if (typeof fixed === 'number') return () => fixed;
  const pathField = `${field}Path`;
  const path = fields[pathField];
  if (path === undefined) return () => undefined;
  const expression = inField(pathField, () => compileExpression(path, whenMissing ?? notFoundIn(pathField)));
  return (data, visit) => read(expression(scopeOf(data, visit)), String(path));
}

/** Any whole number. */
export function prepareInteger(state: object, field: string): NumberField {
  return prepareNumber(state, { field, read: integerReader(field) });
}

/** A whole number from 0. */
export function prepareCount(state: object, field: string): NumberField {
  const readInteger = integerReader(field);
  const read: ReadNumber = (value, path) => {
    const count = readInteger(value, path);
    if (count < 0) throw runtimeError(`${field} cannot be negative.`);
    return count;
  };
  return prepareNumber(state, { field, read });
}

/** A whole number from 1, and no larger than the bytes of a payload. */
export function prepareBatchLimit(state: object, field: string): NumberField {
  const readInteger = integerReader(field);
  const max = field === 'MaxInputBytesPerBatch' ? MAX_PAYLOAD_BYTES : Number.POSITIVE_INFINITY;
  const read: ReadNumber = (value, path) => {
    const limit = readInteger(value, path);
    if (limit < 1) throw runtimeError(`${field} must be positive.`);
    if (limit > max) throw runtimeError(`${field} cannot be greater than ${max}.`);
    return limit;
  };
  return prepareNumber(state, { field, read });
}

/** From 0 to 100, whole or not. */
export function preparePercentage(state: object, field: string): NumberField {
  const read: ReadNumber = (value, path) => {
    if (typeof value !== 'number') throw notValid(field, { value, path, kind: 'float' });
    if (value < 0 || value > 100) throw runtimeError(`${field} must be between 0 and 100.`);
    return value;
  };
  return prepareNumber(state, { field, read });
}

/** A value as it stands in an error's text: strings without quotes, anything else as JSON. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function integerReader(field: string): ReadNumber {
  return (value, path) => {
    if (typeof value !== 'number' || !Number.isInteger(value))
      throw notValid(field, { value, path, kind: 'integer' });
    return value;
  };
}

function notValid(field: string, { value, path, kind }: { value: unknown; path: string; kind: string }) {
  return runtimeError(
    `The ${field}Path field refers to value "${textOf(value)}" which is not a valid ${kind}: ${path}`,
  );
}
