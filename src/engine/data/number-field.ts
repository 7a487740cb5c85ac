import type { Visit } from '../definition/prepared-state.ts';
import { inField, StateError } from '../state-error.ts';
import { compileExpression } from './payload-template.ts';

/** The number that a field gives, or that its `Path` sibling leads to at run time; undefined without either. */
export function prepareNumber(
  state: object,
  field: string,
  { max = 99_999_999, integer = true }: { max?: number; integer?: boolean } = {},
): (data: unknown, visit: Visit) => number | undefined {
  const fields: { [field: string]: unknown } = { ...state };
  const fixed = fields[field];
  if (typeof fixed === 'number') return () => fixed;
  const pathField = `${field}Path`;
  const path = fields[pathField];
  if (path === undefined) return () => undefined;
  const expression = inField(pathField, () => compileExpression(pathField, path));
  return (data, { context, frame }) => {
    const value = expression({ data, context, random: frame.deps.random });
    if (typeof value !== 'number' || value < 0 || value > max || (integer && !Number.isInteger(value)))
      throw new StateError(
        'States.Runtime',
        `The ${pathField} '${path}' must lead to ${integer ? 'an integer' : 'a number'} from 0 to ${max}`,
      );
    return value;
  };
}
