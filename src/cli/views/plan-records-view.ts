import type { PlannedRecord, PlanReport, UnsentRows } from '../../index.ts';
import { count, printable } from './format.ts';

/** Characters and lines of a prompt that a plan shows, unless it is to show all. */
const SHOWN_CHARACTERS = 600;
const SHOWN_LINES = 8;

/** The prompts of the first rows, and with `isWhole` all of each, and the record as it would be sent. */
export function recordLines(
  { records }: Pick<PlanReport, 'records'>,
  { isWhole }: { isWhole: boolean },
): string[] {
  const [first] = records;
  if (first === undefined) return [];
  const shown = records.map((record) => promptLines(record, isWhole));
  const isCut = shown.some(({ isShort }) => isShort);
  const lines = ['', records.length === 1 ? 'The prompt:' : 'The first prompts:'];
  for (const { text } of shown) lines.push('', ...text);
  if (isWhole) {
    lines.push('', `The record of row ${first.row + 1}, as it would be sent:`, '', printable(first.record));
  } else {
    lines.push('', `--show-records shows ${isCut ? 'them whole, and ' : ''}a record as it would be sent.`);
  }
  return lines;
}

function promptLines(
  { variant, row, record_id, prompt }: PlannedRecord,
  isWhole: boolean,
): { text: string[]; isShort: boolean } {
  const all = prompt.split(/\r?\n/);
  const cut = isWhole ? all : prompt.slice(0, SHOWN_CHARACTERS).split(/\r?\n/).slice(0, SHOWN_LINES);
  const left = [...prompt].length - [...cut.join('\n')].length;
  const isShort = cut.length < all.length || cut.at(-1) !== all.at(cut.length - 1);
  return {
    text: [
      `  ${variant === undefined ? '' : `${variant}: `}row ${row + 1}, ${printable(record_id)}`,
      ...cut.map((line) => `    ${printable(line)}`),
      ...(isShort ? [`    … and ${count(Math.max(1, left), 'more character')}`] : []),
    ],
    isShort,
  };
}

/** Why rows are not sent, a line for each cause. */
export function unsentLines(unsent: readonly UnsentRows[]): string[] {
  return unsent.map(
    (rows, index) =>
      `  ${index === 0 ? 'not sent' : '        '}   ${rows.variant === undefined ? '' : `${rows.variant}: `}${whyUnsent(rows)}`,
  );
}

function whyUnsent({ cause, rows, columns = [], first_rows = [], looked_at }: UnsentRows): string {
  const number = rows.toLocaleString('en-US');
  switch (cause) {
    case 'null_value': {
      const of =
        looked_at === undefined ? '' : ` of ${looked_at.toLocaleString('en-US')} that were looked at`;
      const which = first_rows.map((row) => (row + 1).toLocaleString('en-US'));
      const more = rows > first_rows.length ? ' …' : '';
      return `${number}${of}, because ${columns.map(printable).join(' and ')} ${columns.length === 1 ? 'is' : 'are'} null (row ${which.join(', ')}${more})`;
    }
    case 'identical_request':
      return `${number}, because identical requests are sent once`;
    case 'kept_answer':
      return `${number}, because a former run has their answer`;
    case 'over_limit':
      return `${number}, from row ${((first_rows[0] ?? 0) + 1).toLocaleString('en-US')} on: max_records or max_num_jobs leaves them out`;
    case 'unreadable':
      return `${count(rows, 'record')} of the dataset that ${rows === 1 ? 'is no row' : 'are no rows'}`;
  }
}
