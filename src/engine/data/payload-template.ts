import { InvalidDefinitionError, inField, pathNotFound } from '../state-error.ts';
import { compileIntrinsic, type Expression } from './intrinsic-expression.ts';
import { compilePath, isObject, NO_MATCH } from './json-path.ts';

/** Compiles Parameters, ResultSelector or ItemSelector: fields named `x.$` are paths or intrinsic functions. */
export function compileTemplate(template: unknown): Expression {
  return compileDynamic(template) ?? (() => template);
}

/** Compiles a path or an intrinsic function, as the value of a field. */
export function compileExpression(field: string, text: unknown): Expression {
  if (typeof text !== 'string') throw new InvalidDefinitionError('must be a path or an intrinsic function');
  if (text.startsWith('States.')) return compileIntrinsic(text);
  const path = compilePath(text);
  return (scope) => {
    const value = path.find(scope);
    if (value === NO_MATCH) throw pathNotFound(text, field, path.ofContext ? scope.context : scope.data);
    return value;
  };
}

/** Undefined where nothing in the template depends on anything. */
function compileDynamic(template: unknown): Expression | undefined {
  if (Array.isArray(template)) {
    const items = template.map((item) => compileDynamic(item));
    if (items.every((item) => item === undefined)) return undefined;
    return (scope) => template.map((item, index) => items[index]?.(scope) ?? item);
  }
  if (!isObject(template)) return undefined;
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
  if (key.endsWith('.$'))
    return { name: key.slice(0, -2), value, expression: inField(key, () => compileExpression(key, value)) };
  return { name: key, value, expression: inField(key, () => compileDynamic(value)) };
}
