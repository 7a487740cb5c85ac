import type { ColumnDiff } from '../../rows/compare/compare-column.ts';
import type { NumberDiff } from '../../rows/compare/compare-numbers.ts';
import type { RunDiff } from '../diff/run-diff.ts';
import { decimal, share, shareCell, signed } from './diff-sections.ts';
import { type Child, count, foreign, h, number, percent, table, visible } from './dom.ts';
import { section } from './section.ts';

const TESTS = {
  mcnemar: 'McNemar’s exact test',
  bowker: 'Bowker’s test of symmetry',
  paired_t: 'a paired t-test',
};

/** Each typed column: what became what, and by how much numbers moved. */
export function columns({ columns: found, compared }: RunDiff): HTMLElement | null {
  if (found.length === 0) return null;
  return section(
    'columns',
    'Typed answers',
    found.map((column) => columnPart(column, compared)),
  );
}

function columnPart(column: ColumnDiff, compared: number): HTMLElement {
  const { name, type_a, type_b, changed, transitions, others, numbers } = column;
  const caption = `${visible(name)}: what became what`;
  return h(
    'div',
    {},
    h(
      'h3',
      {},
      foreign(name),
      ' ',
      h('span', { class: 'muted' }, type_a === type_b ? type_a : `${type_a} → ${type_b}`),
    ),
    h(
      'p',
      {},
      `${count(changed.rows, 'row')} changed, ${percent(changed.rows, compared)}`,
      interval(changed),
      '. ',
      significance(column),
    ),
    numbers !== null && numbersTable(name, numbers),
    transitions.length > 0 &&
      table({ caption, head: ['In A', 'In B', 'Rows', 'Share'], numeric: ['Rows'] }, [
        ...transitions.map(({ from, to, rows }) => [
          value(from),
          from === to ? h('span', { class: 'muted' }, 'the same') : value(to),
          number(rows),
          shareCell(rows, compared),
        ]),
        ...(others !== null && others > 0
          ? [[h('em', {}, 'others'), '', number(others), shareCell(others, compared)]]
          : []),
      ]),
    others === null && h('p', { class: 'muted' }, 'It has too many values for a table of what became what.'),
  );
}

function value(text: string | null): Child {
  return text === null ? h('em', {}, 'no value') : foreign(text);
}

function interval({ interval: found }: ColumnDiff['changed']): string {
  return found === null ? '' : ` (${share(found[0])} to ${share(found[1])} with 95 % confidence)`;
}

function significance({ significance: found, changed }: ColumnDiff): string {
  if (found === null || changed.rows === 0) return '';
  const p = found.p < 0.0001 ? 'p < 0.0001' : `p = ${found.p.toFixed(4)}`;
  const verdict =
    found.p < 0.05
      ? 'more than chance would move them one way'
      : 'no more than chance may move them either way';
  return `By ${TESTS[found.test]}: ${p}, ${verdict}.`;
}

function numbersTable(
  name: string,
  { mean_a, mean_b, shift, increased, decreased, quantiles }: NumberDiff,
): HTMLElement {
  const { min, p05, median, p95, max } = quantiles;
  return table(
    {
      caption: `${visible(name)}: how numbers moved`,
      head: [
        'Mean in A',
        'Mean in B',
        'Shift',
        '95 % interval',
        'More in B',
        'Less in B',
        'Shift: least, 5 %, median, 95 %, most',
      ],
      numeric: [
        'Mean in A',
        'Mean in B',
        'Shift',
        '95 % interval',
        'More in B',
        'Less in B',
        'Shift: least, 5 %, median, 95 %, most',
      ],
    },
    [
      [
        decimal(mean_a),
        decimal(mean_b),
        signed(shift.mean),
        shift.interval === null ? '–' : shift.interval.map(signed).join(' to '),
        number(increased),
        number(decreased),
        [min, p05, median, p95, max].map(signed).join(', '),
      ],
    ],
  );
}

/** How far vectors are from each other. */
export function distances({ distances: found }: RunDiff): HTMLElement | null {
  if (found === null) return null;
  const { rows, without, mean, quantiles, buckets } = found;
  return section(
    'distances',
    'Cosine distances',
    h(
      'p',
      {},
      `${decimal(mean)} on average, ${decimal(quantiles.median)} in the middle, ${decimal(quantiles.p95)} or less for 95 % of ${count(rows, 'row')}, ${decimal(quantiles.max)} at most. 0 is the same direction, 2 the opposite one.`,
      without > 0 &&
        ` ${count(without, 'row')} without a distance: vectors of other lengths, or of zeros alone.`,
    ),
    table(
      {
        caption: 'Cosine distances',
        head: ['From', 'To below', 'Rows', 'Share'],
        numeric: ['From', 'To below', 'Rows'],
      },
      buckets.map(({ from, to, rows: of }) => [decimal(from), decimal(to), number(of), shareCell(of, rows)]),
    ),
  );
}
