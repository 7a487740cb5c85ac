import { isJsonObject } from '../../core/text/json-value.ts';
import { excerpt, InvalidDefinitionError, inField, runtimeError, type StateError } from '../state-error.ts';
import { compileIntrinsic, type Expression } from './intrinsic-expression.ts';
import { compilePath, describeMiss, type JsonPath, NO_MATCH, type Scope } from './json-path.ts';

/** Says what it means that a path leads nowhere: Step Functions has other words for each field. */
export type WhenMissing = (path: JsonPath, scope: Scope) => StateError;

/** Compiles Parameters, ResultSelector or ItemSelector: fields named `x.$` are paths or intrinsic functions. */
export function compileTemplate(template: unknown): Expression {
  return compileDynamic(template) ?? (() => template);
}

/** Compiles a path or an intrinsic function, as the value of a field. */
export function compileExpression(text: unknown, whenMissing: WhenMissing): Expression {
  if (typeof text !== 'string') throw new InvalidDefinitionError('must be a path or an intrinsic function');
  if (text.startsWith('States.')) return compileIntrinsic(text);
  const path = compilePath(text);
  return (scope) => {
    const value = path.find(scope);
    if (value === NO_MATCH) throw whenMissing(path, scope);
    return value;
  };
}

/** Of a field in a template, and of most others. */
export function notFoundIn(field: string): WhenMissing {
  return (path, { data, context }) =>
    runtimeError(
      `The JSONPath '${path.text}' specified for the field '${field}' could not be found in the input '${excerpt(path.ofContext ? context : data)}'`,
    );
}

/** Of InputPath, OutputPath and TimeoutSecondsPath. */
export function invalidPath(path: JsonPath, scope: Scope): StateError {
  return runtimeError(`Invalid path '${path.text}' : ${describeMiss(path, scope)}`);
}

/** Of the paths of a Wait state. */
export function noInputValueFor(field: string): WhenMissing {
  return (path) => runtimeError(`The ${field} parameter does not reference an input value: ${path.text}`);
}

/** Undefined where nothing in the template depends on anything. */
function compileDynamic(template: unknown): Expression | undefined {
  if (Array.isArray(template)) {
    const items = template.map((item) => compileDynamic(item));
    if (items.every((item) => item === undefined)) return undefined;
    return (scope) =>
      template.map((item, index) => {
        const expression = items[index];
        return expression === undefined ? item : expression(scope);
      });
  }
  if (!isJsonObject(template)) return undefined;
  const fields = Object.entries(template).map(([key, value]) => compileField(key, value));
  if (fields.every(({ expression }) => expression === undefined)) return undefined;
  return (scope) =>
    Object.fromEntries(
      fields.map(({ name, value, expression }) => [
        name,
        expression === undefined ? value : expression(scope),
      ]),
    );
}

function compileField(key: string, value: unknown) {
  if (!key.endsWith('.$')) return { name: key, value, expression: inField(key, () => compileDynamic(value)) };
  const expression = inField(key, () => compileExpression(value, notFoundIn(key)));
  return { name: key.slice(0, -2), value, expression };
}
