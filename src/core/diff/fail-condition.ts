import { InvalidRunInputError } from '../errors.ts';
import { nearest } from '../text/nearest.ts';

/**
 * What conditions may be about. `share`: rows, told as a number or as a percentage of those that it is a share of. `change`: how
 * much larger something is in the second run, in percent. `number`: a number as it is.
 */
const METRICS = {
  changed: { unit: 'share', column: 'optional' },
  newly_failed: { unit: 'share', column: 'none' },
  newly_mended: { unit: 'share', column: 'none' },
  newly_truncated: { unit: 'share', column: 'none' },
  newly_refused: { unit: 'share', column: 'none' },
  only_in_a: { unit: 'share', column: 'none' },
  only_in_b: { unit: 'share', column: 'none' },
  cost: { unit: 'change', column: 'none' },
  input_tokens: { unit: 'change', column: 'none' },
  output_tokens: { unit: 'change', column: 'none' },
  length: { unit: 'change', column: 'none' },
  shift: { unit: 'number', column: 'required' },
  p: { unit: 'number', column: 'required' },
  distance: { unit: 'number', column: 'none' },
} as const;
export type DiffMetric = keyof typeof METRICS;

const OPERATORS = {
  '>': (value: number, bound: number) => value > bound,
  '>=': (value: number, bound: number) => value >= bound,
  '<': (value: number, bound: number) => value < bound,
  '<=': (value: number, bound: number) => value <= bound,
} as const;

/** A condition that two runs are not to meet, such as `changed>1%`. */
export interface FailCondition {
  /** As it was written. */
  text: string;
  metric: DiffMetric;
  /** The typed column that it is about. */
  column: string | undefined;
  operator: keyof typeof OPERATORS;
  /** Of a percentage 1 for 1 %. */
  bound: number;
  isPercent: boolean;
}

/** What is known of a metric: rows and what they are a share of, a relative change (1 = twice as much), or a number. */
export type MetricValue = { rows: number; of: number } | { change: number } | { number: number };

/** A condition, and what came of it. */
export interface CheckedCondition {
  condition: string;
  /** In the condition's own unit: percent, rows, or the number. */
  value: number;
  /** True where the condition holds, so that the comparison counts as failed. */
  holds: boolean;
}

const EXAMPLES =
  "Write such as 'changed>1%', 'newly_failed>0' or 'shift.score<-0.1'; several with a comma between.";
const CONDITION =
  /^(?<metric>\w+)(?:\.(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<plain>[^\s"<>=,]+)))?\s*(?<operator>>=|<=|>|<)\s*(?<bound>[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(?<percent>%)?$/i;

/** The conditions of a text. Throws InvalidRunInputError where it has any that is none. */
export function parseFailConditions(text: string): FailCondition[] {
  // Commas within quotes are of names.
  const pieces = text.match(/(?:"(?:[^"\\]|\\.)*"|[^,"]|")+/g) ?? [];
  const conditions = pieces.map((piece) => parseCondition(piece.trim()));
  if (conditions.length === 0 || text.trim().endsWith(',')) {
    throw new InvalidRunInputError(`The condition "${text}" is empty, or ends with a comma. ${EXAMPLES}`);
  }
  return conditions;
}

function parseCondition(text: string): FailCondition {
  const { metric, quoted, plain, operator, bound, percent } = CONDITION.exec(text)?.groups ?? {};
  if (metric === undefined || operator === undefined || bound === undefined) {
    throw new InvalidRunInputError(
      `The condition "${text}" is not METRIC, an operator (>, >=, <, <=) and a number. ${EXAMPLES}`,
    );
  }
  if (!isMetric(metric)) {
    const like = nearest(metric, Object.keys(METRICS));
    throw new InvalidRunInputError(
      `The condition "${text}": "${metric}" is no metric.${like === undefined ? '' : ` Did you mean ${like}?`} Metrics: ${Object.keys(METRICS).join(', ')}.`,
    );
  }
  const column = quoted === undefined ? plain : (JSON.parse(`"${quoted}"`) as string);
  refuseMismatch(text, { metric, column, isPercent: percent !== undefined });
  return {
    text,
    metric,
    column,
    operator: operator as keyof typeof OPERATORS,
    bound: Number(bound),
    isPercent: percent !== undefined,
  };
}

function isMetric(name: string): name is DiffMetric {
  return Object.hasOwn(METRICS, name);
}

function refuseMismatch(
  text: string,
  { metric, column, isPercent }: Pick<FailCondition, 'metric' | 'column' | 'isPercent'>,
): void {
  const { unit, column: ofColumn } = METRICS[metric];
  const refuse = (message: string) => {
    throw new InvalidRunInputError(`The condition "${text}": ${message}`);
  };
  if (ofColumn === 'required' && column === undefined) {
    refuse(
      `${metric} is of a typed column: ${metric}.COLUMN, and "${metric}.\\"a name\\"" where the name has spaces.`,
    );
  }
  if (ofColumn === 'none' && column !== undefined)
    refuse(`${metric} is not of a column. Write ${metric} alone.`);
  if (unit === 'change' && !isPercent) {
    refuse(`${metric} is how much more the second run has, in percent: ${metric}>10%.`);
  }
  if (unit === 'number' && isPercent) refuse(`${metric} is a number, not a percentage. Leave the % out.`);
}

/** What came of a condition. Throws InvalidRunInputError where what it is about is not known: it must not pass for kept. */
export function checkCondition(
  condition: FailCondition,
  look: (condition: FailCondition) => MetricValue | string,
): CheckedCondition {
  const found = look(condition);
  if (typeof found === 'string')
    throw new InvalidRunInputError(`The condition "${condition.text}": ${found}`);
  const value = inUnit(found, condition);
  return { condition: condition.text, value, holds: OPERATORS[condition.operator](value, condition.bound) };
}

function inUnit(found: MetricValue, { text, isPercent }: FailCondition): number {
  if ('number' in found) return found.number;
  if ('change' in found) return 100 * found.change;
  if (!isPercent) return found.rows;
  if (found.of > 0) return (100 * found.rows) / found.of;
  throw new InvalidRunInputError(`The condition "${text}": there are no rows that this could be a share of.`);
}
