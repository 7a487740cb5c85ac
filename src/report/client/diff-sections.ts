import type { NumberDiff } from '../../rows/compare/compare-numbers.ts';
import type { JoinedBy, RunDiff } from '../diff/run-diff.ts';
import { bar, type Child, count, foreign, h, number, percent, table, usd } from './dom.ts';
import { section } from './section.ts';

/** How many answers are others, and which rows were compared at all. */
export function changes(diff: RunDiff): HTMLElement {
  const { changed, compared, in_both, only_in_a, only_in_b } = diff;
  return section(
    'changes',
    headline(diff),
    h(
      'dl',
      { class: 'tiles' },
      tile('Answers changed', changed.rows, {
        of: `${percent(changed.rows, compared)} of ${number(compared)}`,
        colour: changed.rows > 0 ? 'bad' : 'good',
      }),
      tile('Rows in both', in_both, { of: 'of which both answered are compared', colour: '' }),
      tile('Only in A', only_in_a, {
        of: percent(only_in_a, diff.a.rows.total),
        colour: only_in_a > 0 ? 'idle' : '',
      }),
      tile('Only in B', only_in_b, {
        of: percent(only_in_b, diff.b.rows.total),
        colour: only_in_b > 0 ? 'idle' : '',
      }),
    ),
    changed.interval !== null &&
      h(
        'p',
        {},
        `Of rows like these, ${share(changed.interval[0])} to ${share(changed.interval[1])} change, with 95 % confidence (Wilson’s interval). `,
        COMPARED_BY[diff.compared_by],
      ),
    h('p', { class: 'muted' }, joined(diff.joined_by)),
  );
}

const COMPARED_BY = {
  columns: 'An answer has changed where the value of a typed column is another.',
  text: 'An answer has changed where its text is another.',
  vectors: 'An answer has changed where its vector is another.',
};

function headline({ is_empty, changed, newly_failed, newly_mended, compared }: RunDiff): string {
  if (is_empty) return 'Nothing differs';
  if (compared === 0) return 'No row has an answer in both runs';
  if (changed.rows > 0) return `${percent(changed.rows, compared)} of the answers changed`;
  return newly_failed.rows + newly_mended.rows > 0
    ? 'No answer changed, but not the same rows have one'
    : 'No answer changed';
}

function joined(by: JoinedBy): Child {
  if (by.kind === 'content') {
    return ['Rows were joined by what is in the columns ', list(by.columns), '.'];
  }
  return by.column === null
    ? 'Rows were joined by their numbers in the dataset, which is the same.'
    : ['Rows were joined by their record ids, from the column ', foreign(by.column, 'code'), '.'];
}

function list(names: readonly string[]): Child {
  return names.map((name, index) => [index > 0 && ', ', foreign(name, 'code')]);
}

function tile(name: string, value: number, { of, colour }: { of: string; colour: string }): HTMLElement {
  return h(
    'div',
    { class: `tile ${colour}` },
    h('dt', {}, name),
    h('dd', {}, number(value), h('span', { class: 'muted' }, of)),
  );
}

export function share(value: number): string {
  const digits = value > 0 && value < 0.001 ? 4 : 2;
  return `${(100 * value).toFixed(digits)} %`;
}

/** Rows that have an answer in one run alone, and answers that were cut off or refused. */
export function outcomes({
  newly_failed,
  newly_mended,
  failed_in_both,
  truncated,
  refused,
}: RunDiff): HTMLElement {
  const causes = [
    ...newly_failed.causes.map((cause) => ({ what: 'newly failed', ...cause })),
    ...newly_mended.causes.map((cause) => ({ what: 'newly mended', ...cause })),
  ];
  return section(
    'outcomes',
    'Rows with an answer in one run alone',
    h(
      'p',
      {},
      `${count(newly_failed.rows, 'row')} answered in A failed in B, ${count(newly_mended.rows, 'row')} failed in A and answered in B, ${count(failed_in_both, 'row')} without an answer in both.`,
    ),
    causes.length > 0 &&
      table(
        {
          caption: 'Newly failed and newly mended rows by cause',
          head: ['Cause', 'What', 'Rows'],
          numeric: ['Rows'],
        },
        causes.map(({ what, error_code, rows }) => [foreign(error_code, 'code'), what, number(rows)]),
      ),
    table(
      {
        caption: 'Truncated and refused answers',
        head: ['Answers', 'In A', 'In B', 'Newly', 'No longer'],
        numeric: ['In A', 'In B', 'Newly', 'No longer'],
      },
      Object.entries({ truncated, refused }).map(([what, { a, b, newly, no_longer }]) => [
        what,
        number(a),
        number(b),
        number(newly),
        number(no_longer),
      ]),
    ),
  );
}

/** Lengths, tokens and dollars. */
export function sizes({ a, b, characters, input_tokens, output_tokens }: RunDiff): HTMLElement {
  const line = (what: string, numbers: NumberDiff | null): Child[][] =>
    numbers === null
      ? []
      : [
          [
            what,
            decimal(numbers.mean_a),
            decimal(numbers.mean_b),
            signed(numbers.shift.mean),
            numbers.shift.interval === null ? '–' : numbers.shift.interval.map(signed).join(' to '),
            number(numbers.increased),
            number(numbers.decreased),
          ],
        ];
  const dollars = (run: RunDiff['a']) =>
    run.cost_usd === null ? 'no price known' : `${usd(run.cost_usd)}${run.billed ? '' : ', not paid'}`;
  return section(
    'sizes',
    'Lengths, tokens and dollars',
    table(
      {
        caption: 'Means of rows that have an answer in both runs',
        head: ['Mean of a row', 'A', 'B', 'Shift', '95 % interval', 'More in B', 'Less in B'],
        numeric: ['A', 'B', 'Shift', '95 % interval', 'More in B', 'Less in B'],
      },
      [
        ...line('Characters of the answer', characters),
        ...line('Tokens of the prompt', input_tokens),
        ...line('Tokens of the answer', output_tokens),
      ],
    ),
    table({ caption: 'Totals of each run', head: ['Whole run', 'A', 'B'], numeric: ['A', 'B'] }, [
      ['Rows', number(a.rows.total), number(b.rows.total)],
      ['Tokens in', number(a.tokens.input), number(b.tokens.input)],
      ['Tokens out', number(a.tokens.output), number(b.tokens.output)],
      ['Dollars by the price table', dollars(a), dollars(b)],
    ]),
  );
}

export function decimal(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 6 });
}

export function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${decimal(value)}`;
}

/** What the runs were given that differs. */
export function settings({ settings: found }: RunDiff): HTMLElement | null {
  if (found.length === 0) return null;
  const value = (text: string | null) => (text === null ? h('em', {}, 'not given') : foreign(text));
  return section(
    'settings',
    'What the runs were given that differs',
    table(
      { caption: 'Settings that differ', head: ['Key', 'A', 'B'] },
      found.map(({ key, a, b }) => [foreign(key, 'code'), value(a), value(b)]),
    ),
  );
}

/** A share with a bar. */
export function shareCell(rows: number, of: number): Child {
  return [bar(rows / Math.max(1, of)), percent(rows, of)];
}
