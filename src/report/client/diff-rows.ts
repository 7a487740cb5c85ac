import type { TellingRow, TellingSide } from '../diff/run-diff.ts';
import type { ReportText } from '../run-report.ts';
import { decimal } from './diff-sections.ts';
import { type Child, count, foreign, h, number, visible } from './dom.ts';

type Kind = TellingRow['why']['kind'];

const WHY: Record<Kind, string> = {
  shift: 'large shift',
  transition: 'other value',
  length: 'other length',
  words: 'other words',
  distance: 'far apart',
  newly_failed: 'newly failed',
  newly_mended: 'newly mended',
};

/** Pairs of rows, each opened to both answers side by side. */
export function tellingRows(rows: readonly TellingRow[]): HTMLElement {
  const entries = rows.map((row, index) => ({ row, element: entryOf(row, index) }));
  const status = h('p', { role: 'status', class: 'muted' });
  const show = (kind: Kind | undefined) => {
    let shown = 0;
    for (const { row, element } of entries) {
      element.hidden = kind !== undefined && row.why.kind !== kind;
      if (!element.hidden) shown += 1;
    }
    status.textContent = `${count(shown, 'pair')} of rows. The same runs always show the same.`;
  };
  show(undefined);
  return h(
    'div',
    {},
    h('div', { class: 'controls' }, filters(rows, show)),
    status,
    entries.map(({ element }) => element),
  );
}

function filters(rows: readonly TellingRow[], show: (kind: Kind | undefined) => void): HTMLElement {
  const kinds = [...new Set(rows.map(({ why }) => why.kind))];
  const buttons: HTMLElement[] = [undefined, ...kinds].map((kind, index) =>
    h(
      'button',
      {
        type: 'button',
        'aria-pressed': index === 0 ? 'true' : 'false',
        click: (event: Event) => {
          for (const other of buttons)
            other.setAttribute('aria-pressed', String(other === event.currentTarget));
          show(kind);
        },
      },
      `${kind === undefined ? 'All' : WHY[kind]} `,
      h(
        'span',
        { class: 'badge' },
        number(kind === undefined ? rows.length : rows.filter(({ why }) => why.kind === kind).length),
      ),
    ),
  );
  return h('div', { role: 'group', 'aria-label': 'Which pairs', class: 'filters' }, buttons);
}

function entryOf({ a, b, why, distance, values }: TellingRow, index: number): HTMLElement {
  const isSamePrompt = a.prompt?.text === b.prompt?.text;
  const reason: Child = [
    WHY[why.kind],
    'column' in why && [' of ', foreign(why.column)],
    distance !== null && ` (${decimal(distance)})`,
  ];
  return h(
    'details',
    { class: 'pair-of-rows' },
    h(
      'summary',
      {},
      foreign(a.record_id === '' ? `pair ${index + 1}` : a.record_id, 'strong'),
      ' · ',
      reason,
      valuesOf(values),
    ),
    a.record_id !== b.record_id && h('p', { class: 'muted' }, 'In B it is ', foreign(b.record_id), '.'),
    isSamePrompt
      ? h('div', { class: 'pane' }, h('h3', {}, 'Prompt'), textOf(a.prompt, 'Prompt'))
      : h('div', { class: 'pair' }, pane('Prompt in A', a.prompt), pane('Prompt in B', b.prompt)),
    h('div', { class: 'pair' }, answerPane('A', a), answerPane('B', b)),
  );
}

function valuesOf(values: TellingRow['values']): Child {
  const word = (text: string | null) => (text === null ? 'no value' : foreign(text));
  return values.map(({ name, from, to }) => [' · ', foreign(name), ': ', word(from), ' → ', word(to)]);
}

function answerPane(name: string, { answer, error_code, error_message }: TellingSide): HTMLElement {
  return error_code === null
    ? pane(`Answer in ${name}`, answer)
    : h(
        'div',
        { class: 'pane' },
        h('h3', {}, `No answer in ${name}: `, foreign(error_code, 'code')),
        textOf(error_message, `Why there is no answer in ${name}`),
      );
}

function pane(title: string, text: ReportText | null): HTMLElement {
  return h('div', { class: 'pane' }, h('h3', {}, title), textOf(text, title));
}

function textOf(text: ReportText | null, label: string): Child {
  if (text === null) return h('p', { class: 'muted' }, 'There is none.');
  return [
    h('pre', { dir: 'auto', tabindex: 0, role: 'group', 'aria-label': label }, visible(text.text)),
    text.cut > 0 &&
      h(
        'p',
        { class: 'muted' },
        `${count(text.cut, 'more character')} left out here; the results have them.`,
      ),
  ];
}
