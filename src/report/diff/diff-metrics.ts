import {
  type CheckedCondition,
  checkCondition,
  type FailCondition,
  type MetricValue,
} from '../../core/diff/fail-condition.ts';
import { InvalidRunInputError } from '../../core/errors.ts';
import type { NumberDiff } from '../../rows/compare/compare-numbers.ts';
import type { RunDiff } from './run-diff.ts';

/** Throws InvalidRunInputError where a condition is about a typed column that is not in both runs. */
export function requireColumns(conditions: readonly FailCondition[], typed: readonly string[]): void {
  for (const { text, column } of conditions) {
    if (column === undefined || typed.includes(column)) continue;
    throw new InvalidRunInputError(
      `The condition "${text}": "${column}" is no typed column of both runs. ${typed.length === 0 ? 'They have none: a column is typed by output_schema.' : `Typed columns: ${typed.join(', ')}.`}`,
    );
  }
}

/** What came of each condition. Throws InvalidRunInputError where what one is about is not known. */
export function checkConditions(diff: RunDiff, conditions: readonly FailCondition[]): CheckedCondition[] {
  return conditions.map((condition) => checkCondition(condition, (given) => metricOf(diff, given)));
}

function metricOf(diff: RunDiff, { metric, column: name }: FailCondition): MetricValue | string {
  const { a, b, in_both, compared, changed } = diff;
  const column = diff.columns.find((known) => known.name === name);
  if (name !== undefined && column === undefined) return `"${name}" is not in the results of both runs.`;
  switch (metric) {
    case 'changed':
      return { rows: column?.changed.rows ?? changed.rows, of: compared };
    case 'newly_failed':
    case 'newly_mended':
      return { rows: diff[metric].rows, of: in_both };
    case 'newly_truncated':
      return { rows: diff.truncated.newly, of: in_both };
    case 'newly_refused':
      return { rows: diff.refused.newly, of: in_both };
    case 'only_in_a':
      return { rows: diff.only_in_a, of: a.rows.total };
    case 'only_in_b':
      return { rows: diff.only_in_b, of: b.rows.total };
    case 'cost':
      if (a.cost_usd === null || b.cost_usd === null)
        return `no price is known of ${a.cost_usd === null ? a.model_id : b.model_id}.`;
      return changeOf(a.cost_usd / a.rows.total, b.cost_usd / b.rows.total) ?? 'the first run cost nothing.';
    case 'input_tokens':
    case 'output_tokens':
      return changeOfNumbers(diff[metric]);
    case 'length':
      return changeOfNumbers(diff.characters);
    case 'shift':
      return column?.numbers == null
        ? `"${name}" has no row with a number in both runs.`
        : { number: column.numbers.shift.mean };
    case 'p':
      if (column?.changed.rows === 0) return { number: 1 };
      return column?.significance == null
        ? `there is no test of "${name}": its values are neither labels nor numbers.`
        : { number: column.significance.p };
    case 'distance':
      return diff.distances === null
        ? 'there are no distances: it is of embeddings alone.'
        : { number: diff.distances.mean };
  }
}

function changeOfNumbers(numbers: NumberDiff | null): MetricValue | string {
  return (
    changeOf(numbers?.mean_a ?? 0, numbers?.mean_b ?? 0) ?? 'there is nothing that it could be a change of.'
  );
}

function changeOf(before: number, after: number): MetricValue | undefined {
  return before > 0 ? { change: after / before - 1 } : undefined;
}
