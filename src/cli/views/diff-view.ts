import type { RunDiff, WrittenDiff } from '../../index.ts';
import { cell, count, printable, usd } from './format.ts';
import { rowsView } from './rows-view.ts';

type ColumnDiff = RunDiff['columns'][number];
type NumberDiff = NonNullable<ColumnDiff['numbers']>;

/** Transitions and rows that are shown; `--json` and `--html` have more. */
const SHOWN = { transitions: 8, rows: 6, causes: 5 };
const TESTS = { mcnemar: 'McNemar', bowker: 'Bowker', paired_t: 'paired t-test' };
const CELL = 60;

/** A diff for people, line by line. */
export function diffView(
  diff: RunDiff,
  { conditions, page }: Pick<WrittenDiff, 'conditions' | 'page'>,
): string[] {
  const lines = [
    `A  ${diff.a.run_id}  ${diff.a.model_id}`,
    `B  ${diff.b.run_id}  ${diff.b.model_id}`,
    '',
    ...(diff.is_empty ? ['Nothing differs.', ''] : []),
    ...rowLines(diff),
    ...outcomeLines(diff),
    ...sizeLines(diff),
    ...diff.columns.flatMap((column) => columnLines(column, diff.compared)),
    ...distanceLines(diff),
    ...settingLines(diff),
    ...tellingLines(diff),
    ...diff.notes.flatMap((note) => ['', note]),
    ...(conditions.length > 0 ? [''] : []),
    ...conditions.map(
      ({ condition, value, holds }) =>
        `${holds ? 'FAILED' : 'kept'}  ${condition}: it is ${round(value)}${condition.trim().endsWith('%') ? '%' : ''}`,
    ),
    ...(page === null ? [] : ['', page]),
  ];
  return lines.map(printable);
}

function rowLines({
  joined_by,
  in_both,
  only_in_a,
  only_in_b,
  compared,
  changed,
  reworded,
  compared_by,
}: RunDiff): string[] {
  const by =
    joined_by.kind === 'content'
      ? `the content of ${joined_by.columns.join(', ')}`
      : joined_by.column === null
        ? 'their numbers in the same dataset'
        : `record ids, the column ${joined_by.column}`;
  const [low, high] = changed.interval ?? [];
  const interval =
    low === undefined || high === undefined ? '' : `, 95 % interval ${percent(low)} to ${percent(high)}`;
  const share = changed.share === null ? '' : ` (${percent(changed.share)}${interval})`;
  return [
    `  rows       ${number(in_both)} in both, ${number(only_in_a)} only in A, ${number(only_in_b)} only in B; joined by ${by}`,
    `  answered   ${number(compared)} in both`,
    `  changed    ${number(changed.rows)}${share}, by ${{ columns: 'the typed columns', text: 'the text', vectors: 'the vector' }[compared_by]}`,
    ...(compared_by === 'columns' && reworded !== null ? [`  reworded   ${number(reworded)}`] : []),
  ];
}

function outcomeLines({ newly_failed, newly_mended, failed_in_both, truncated, refused }: RunDiff): string[] {
  const causes = (of: RunDiff['newly_failed']) =>
    of.causes.length === 0
      ? ''
      : `: ${of.causes
          .slice(0, SHOWN.causes)
          .map(({ error_code, rows }) => `${error_code} ${number(rows)}`)
          .join(', ')}`;
  const flaw = ({ a, b, newly, no_longer }: RunDiff['truncated']) =>
    `${number(a)} in A, ${number(b)} in B (${number(newly)} newly, ${number(no_longer)} no longer)`;
  return [
    `  failed     ${number(newly_failed.rows)} newly${causes(newly_failed)}`,
    `  mended     ${number(newly_mended.rows)}${causes(newly_mended)}`,
    ...(failed_in_both > 0 ? [`  unanswered ${number(failed_in_both)} in both`] : []),
    `  truncated  ${flaw(truncated)}`,
    `  refused    ${flaw(refused)}`,
  ];
}

function sizeLines({ a, b, characters, input_tokens, output_tokens }: RunDiff): string[] {
  const line = (name: string, numbers: NumberDiff | null) =>
    numbers === null ? [] : [`  ${name.padEnd(10)} ${shiftText(numbers)}`];
  const dollars = ({ cost_usd, billed }: RunDiff['a']) =>
    cost_usd === null ? 'no price known' : `${usd(cost_usd)}${billed ? '' : ' (not paid)'}`;
  return [
    ...line('length', characters),
    ...line('tokens in', input_tokens),
    ...line('tokens out', output_tokens),
    `  ${a.billed || b.billed ? 'cost   ' : 'dollars'}    ${dollars(a)} → ${dollars(b)}`,
  ];
}

/** `12.3 → 14.1 on average, +1.8 (95 % interval +1.2 to +2.4)`. */
function shiftText({ mean_a, mean_b, shift }: NumberDiff): string {
  const interval =
    shift.interval === null ? '' : ` (95 % interval ${shift.interval.map(signed).join(' to ')})`;
  return `${round(mean_a)} → ${round(mean_b)} on average, ${signed(shift.mean)}${shift.mean === 0 ? '' : interval}`;
}

function columnLines(column: ColumnDiff, compared: number): string[] {
  const { name, changed, transitions, significance, numbers } = column;
  const share = changed.share === null ? '' : ` (${percent(changed.share)})`;
  const test =
    significance === null || changed.rows === 0 ? '' : `; ${TESTS[significance.test]} ${p(significance.p)}`;
  const moved = transitions.filter(({ from, to }) => from !== to);
  const text = (value: string | null) => (value === null ? '(none)' : cell(value, CELL));
  return [
    '',
    `${name}: ${number(changed.rows)} of ${number(compared)} changed${share}${test}`,
    ...(numbers === null ? [] : [`  ${shiftText(numbers)}`]),
    ...moved
      .slice(0, SHOWN.transitions)
      .map(({ from, to, rows }) => `  ${number(rows).padStart(9)}  ${text(from)} → ${text(to)}`),
    ...(moved.length > SHOWN.transitions
      ? [`             … and ${moved.length - SHOWN.transitions} others`]
      : []),
  ];
}

function distanceLines({ distances }: RunDiff): string[] {
  if (distances === null) return [];
  const { rows, without, mean, quantiles } = distances;
  return [
    '',
    `cosine distance of ${count(rows, 'row')}: ${round(mean)} on average, median ${round(quantiles.median)}, 95 % up to ${round(quantiles.p95)}, at most ${round(quantiles.max)}`,
    ...(without > 0
      ? [`  ${count(without, 'row')} without a distance: vectors of other lengths, or of zeros alone`]
      : []),
  ];
}

function settingLines({ settings }: RunDiff): string[] {
  if (settings.length === 0) return [];
  const text = (value: string | null) => (value === null ? '(not given)' : cell(value, CELL));
  return ['', 'given', ...settings.map(({ key, a, b }) => `  ${key}: ${text(a)} → ${text(b)}`)];
}

function tellingLines({ telling }: RunDiff): string[] {
  if (telling.length === 0) return [];
  const answer = ({ answer: given, error_code }: RunDiff['telling'][number]['a']) =>
    error_code === null ? (given?.text ?? '') : `no answer: ${error_code}`;
  const rows = telling.slice(0, SHOWN.rows).map(({ a, b, why }) => ({
    row: a.record_id,
    why: `${why.kind.replace('_', ' ')}${'column' in why ? ` of ${why.column}` : ''}`,
    A: cell(answer(a), CELL),
    B: cell(answer(b), CELL),
  }));
  return [
    '',
    ...rowsView(rows, { width: 200 }).split('\n'),
    ...(telling.length > SHOWN.rows
      ? [`… and ${telling.length - SHOWN.rows} more pairs to look at, by --html or --json`]
      : []),
  ];
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function round(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 4 });
}

function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${round(value)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share > 0 && share < 0.001 ? 4 : 2)} %`;
}

function p(value: number): string {
  return value < 0.0001 ? 'p < 0.0001' : `p = ${value.toFixed(4)}`;
}
