import { compilePath, NO_MATCH, type Scope } from '../data/json-path.ts';
import { parseTimestamp } from '../data/timestamp.ts';
import type { ChoiceRule } from '../definition/amazon-states-language.ts';
import { excerpt, runtimeError } from '../state-error.ts';

/** Says whether a choice rule holds. */
export type Condition = (scope: Scope) => boolean;

type Test = (value: unknown, other: unknown) => boolean;

/** Every comparison operator; all but the tests of type also have a form whose name ends in `Path`. */
const comparisons: Record<string, Test> = {
  ...relations('String', (value) => (typeof value === 'string' ? value : undefined)),
  ...relations('Numeric', (value) => (typeof value === 'number' ? value : undefined)),
  ...relations('Timestamp', parseTimestamp),
  BooleanEquals: (value, other) => typeof value === 'boolean' && value === other,
};

const typeTests: Record<string, (value: unknown) => boolean> = {
  IsNull: (value) => value === null,
  IsNumeric: (value) => typeof value === 'number',
  IsString: (value) => typeof value === 'string',
  IsBoolean: (value) => typeof value === 'boolean',
  IsTimestamp: (value) => parseTimestamp(value) !== undefined,
};

/** Names of the operators that a rule may have beside its Variable. */
export const COMPARISON_OPERATORS: readonly string[] = [
  ...Object.keys(comparisons).flatMap((name) => [name, `${name}Path`]),
  ...Object.keys(typeTests),
  'IsPresent',
  'StringMatches',
];

/** Compiles a choice rule, whose shape has been checked. */
export function compileChoiceRule(rule: ChoiceRule): Condition {
  if ('And' in rule) {
    const all = rule.And.map(compileChoiceRule);
    return (scope) => all.every((condition) => condition(scope));
  }
  if ('Or' in rule) {
    const any = rule.Or.map(compileChoiceRule);
    return (scope) => any.some((condition) => condition(scope));
  }
  if ('Not' in rule) {
    const condition = compileChoiceRule(rule.Not);
    return (scope) => !condition(scope);
  }
  const [operator, operand] = operatorOf(rule);
  return compileComparison(rule.Variable, operator, operand);
}

function compileComparison(variable: string, operator: string, operand: unknown): Condition {
  const path = compilePath(variable);
  if (operator === 'IsPresent') return (scope) => (path.find(scope) !== NO_MATCH) === operand;
  const find = finder(variable);
  const typeTest = typeTests[operator];
  if (typeTest !== undefined) return (scope) => typeTest(find(scope)) === operand;
  if (operator === 'StringMatches') {
    const pattern = compilePattern(String(operand));
    return (scope) => {
      const value = find(scope);
      return typeof value === 'string' && pattern.test(value);
    };
  }
  const compare = comparisons[operator.replace(/Path$/, '')] as Test;
  if (!operator.endsWith('Path')) return (scope) => compare(find(scope), operand);
  const findOther = finder(String(operand));
  return (scope) => compare(find(scope), findOther(scope));
}

function operatorOf(rule: object): [string, unknown] {
  return Object.entries(rule).find(([key]) => COMPARISON_OPERATORS.includes(key)) as [string, unknown];
}

function finder(text: string): (scope: Scope) => unknown {
  const path = compilePath(text);
  return (scope) => {
    const value = path.find(scope);
    if (value === NO_MATCH)
      throw runtimeError(
        `Invalid path '${text}': The choice state's condition path references an invalid value in '${excerpt(scope.data)}'`,
      );
    return value;
  };
}

function relations(
  prefix: string,
  read: (value: unknown) => string | number | undefined,
): Record<string, Test> {
  const relation =
    (holds: (left: string | number, right: string | number) => boolean): Test =>
    (value, other) => {
      const left = read(value);
      const right = read(other);
      return left !== undefined && right !== undefined && holds(left, right);
    };
  return {
    [`${prefix}Equals`]: relation((left, right) => left === right),
    [`${prefix}LessThan`]: relation((left, right) => left < right),
    [`${prefix}LessThanEquals`]: relation((left, right) => left <= right),
    [`${prefix}GreaterThan`]: relation((left, right) => left > right),
    [`${prefix}GreaterThanEquals`]: relation((left, right) => left >= right),
  };
}

/** `*` stands for any characters; `\*` is an asterisk and `\\` a backslash. */
function compilePattern(pattern: string): RegExp {
  const source = pattern.replaceAll(/\\([*\\])|\*|[^*\\]+|\\/g, (token, escaped: string | undefined) =>
    token === '*' ? '.*' : escapeForRegExp(escaped ?? token),
  );
  return new RegExp(`^${source}$`, 's');
}

function escapeForRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
