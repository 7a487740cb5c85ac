import type { ReportRow, ReportText } from '../run-report.ts';
import { type Child, count, foreign, h, number, visible } from './dom.ts';

const FILTERS: readonly { name: string; keeps: (row: ReportRow) => boolean }[] = [
  { name: 'All', keeps: () => true },
  { name: 'Failed', keeps: ({ kind }) => kind === 'failed' },
  { name: 'Truncated', keeps: ({ kind }) => kind === 'truncated' },
  { name: 'Refused', keeps: ({ kind }) => kind === 'refused' },
  { name: 'Longest', keeps: ({ is_longest }) => is_longest },
];
/** Rows that are shown at first. */
const PAGE = 40;
/** Characters of a cell. */
const PREVIEW = 140;

/** A row with its elements: its line, and what is opened below it. */
interface Entry {
  row: ReportRow;
  text: string;
  line: HTMLElement;
  detail: HTMLElement;
}

/** The rows to look at: searched, filtered, and opened one by one. */
export function rowsTable(rows: readonly ReportRow[], { simulated }: { simulated: boolean }): HTMLElement {
  const entries = rows.map((row, index): Entry => {
    const [line, detail] = rowElements(row, { index, simulated });
    return { row, text: searchable(row), line, detail };
  });
  const status = h('p', { role: 'status', class: 'muted' });
  const more = h(
    'button',
    { type: 'button', class: 'more', click: () => show({ most: Number.POSITIVE_INFINITY }) },
    'Show all',
  );
  const search = h('input', {
    type: 'search',
    id: 'search',
    placeholder: 'a word of prompt, answer, id or error',
    input: () => show({}),
  }) as HTMLInputElement;
  let view = { keeps: (_: ReportRow) => true, most: PAGE };
  const show = (change: Partial<typeof view>) => {
    view = { ...view, ...change };
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = new Set(
      entries.filter(({ row, text }) => view.keeps(row) && words.every((word) => text.includes(word))),
    );
    let shown = 0;
    for (const entry of entries) {
      const isShown = found.has(entry) && shown < view.most;
      if (isShown) shown += 1;
      entry.line.hidden = !isShown;
      entry.detail.hidden = !isShown || entry.line.dataset.open === undefined;
    }
    status.textContent = `${count(found.size, 'row')}${found.size === shown ? '' : `, the first ${number(shown)} shown`}.`;
    more.hidden = found.size === shown;
  };
  show({});
  const head = ['Row', 'Outcome', 'Prompt', simulated ? 'Answer (simulated)' : 'Answer', 'Tokens out'];
  return h(
    'div',
    {},
    h(
      'div',
      { class: 'controls' },
      filterButtons(rows, (keeps) => show({ keeps, most: PAGE })),
      h('label', { for: 'search' }, 'Search ', search),
    ),
    status,
    h(
      'div',
      { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': 'Rows to look at' },
      h(
        'table',
        { class: 'rows' },
        h('caption', { class: 'unseen' }, 'Rows to look at, each with its prompt and answer'),
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            head.map((name) =>
              h('th', { scope: 'col', class: name === 'Tokens out' ? 'number' : undefined }, name),
            ),
          ),
        ),
        h(
          'tbody',
          {},
          entries.map(({ line, detail }) => [line, detail]),
        ),
      ),
    ),
    more,
  );
}

function filterButtons(
  rows: readonly ReportRow[],
  choose: (keeps: (row: ReportRow) => boolean) => void,
): HTMLElement {
  const buttons: HTMLElement[] = FILTERS.map(({ name, keeps }, index) => {
    const found = rows.filter(keeps).length;
    const click = (event: Event) => {
      for (const other of buttons) other.setAttribute('aria-pressed', String(other === event.currentTarget));
      choose(keeps);
    };
    return h(
      'button',
      { type: 'button', 'aria-pressed': index === 0 ? 'true' : 'false', disabled: found === 0, click },
      `${name} `,
      h('span', { class: 'badge' }, number(found)),
    );
  });
  return h('div', { role: 'group', 'aria-label': 'Which rows', class: 'filters' }, buttons);
}

function rowElements(
  row: ReportRow,
  { index, simulated }: { index: number; simulated: boolean },
): [line: HTMLElement, detail: HTMLElement] {
  const id = `row-${index}`;
  let detail: HTMLElement | undefined;
  const button = h(
    'button',
    {
      type: 'button',
      class: 'open',
      'aria-expanded': 'false',
      'aria-controls': id,
      click: () => {
        const isOpen = line.dataset.open === undefined;
        if (isOpen) line.dataset.open = '';
        else delete line.dataset.open;
        button.setAttribute('aria-expanded', String(isOpen));
        if (detail === undefined) return;
        // Drawn when it is first looked at.
        if (detail.firstChild?.firstChild === null) detail.firstChild.appendChild(detailOf(row, simulated));
        detail.hidden = !isOpen;
      },
    },
    foreign(row.record_id === '' ? `row ${index + 1}` : row.record_id),
    row.variant !== undefined && h('span', { class: 'muted' }, ` ${row.variant}`),
  );
  const line: HTMLElement = h(
    'tr',
    { 'data-kind': row.kind },
    h('th', { scope: 'row' }, button),
    h(
      'td',
      {},
      h('span', { class: `tag ${row.kind}` }, row.error_code === null ? row.kind : nameOf(row.error_code)),
    ),
    h('td', {}, preview(row.prompt)),
    h('td', {}, row.answer === null ? preview(row.error_message) : preview(row.answer)),
    h('td', { class: 'number' }, row.output_tokens === null ? '–' : number(row.output_tokens)),
  );
  detail = h('tr', { id, class: 'detail', hidden: true }, h('td', { colspan: 5 }));
  return [line, detail];
}

/** An error as a person reads it: some are the number of an HTTP status alone. */
function nameOf(errorCode: string): string {
  return /^\d+$/.test(errorCode) ? `error ${errorCode}` : visible(errorCode);
}

function preview(text: ReportText | null): Child {
  if (text === null) return '–';
  const flat = text.text.replace(/\s+/g, ' ').trim();
  const isCut = flat.length > PREVIEW || text.cut > 0;
  return h('div', { class: 'preview' }, foreign(isCut ? `${[...flat].slice(0, PREVIEW).join('')}…` : flat));
}

function detailOf(row: ReportRow, simulated: boolean): HTMLElement {
  const facts = [
    row.stop_reason === null ? undefined : `stop reason ${row.stop_reason}`,
    row.input_tokens === null ? undefined : `${number(row.input_tokens)} tokens in`,
    row.output_tokens === null ? undefined : `${number(row.output_tokens)} tokens out`,
    row.attempts === 0 ? 'never sent' : `sent ${row.attempts === 1 ? 'once' : `${row.attempts} times`}`,
  ].filter((fact) => fact !== undefined);
  return h(
    'div',
    {},
    h('p', { class: 'muted' }, visible(facts.join(' · '))),
    h(
      'div',
      { class: 'pair' },
      pane('Prompt', row.prompt, 'Not sent: a value that the prompt needs is missing.'),
      row.answer === null
        ? pane(
            row.error_code === null ? 'No answer' : `No answer: ${nameOf(row.error_code)}`,
            row.error_message,
            'Nothing was said.',
          )
        : pane(simulated ? 'Answer (simulated)' : 'Answer', row.answer, ''),
    ),
  );
}

function pane(title: string, text: ReportText | null, empty: string): HTMLElement {
  return h(
    'div',
    { class: 'pane' },
    h('h3', {}, title),
    text === null
      ? h('p', { class: 'muted' }, empty)
      : h('pre', { dir: 'auto', tabindex: 0, role: 'group', 'aria-label': title }, visible(text.text)),
    text !== null &&
      text.cut > 0 &&
      h(
        'p',
        { class: 'muted' },
        `${count(text.cut, 'more character')} left out here; the results have them.`,
      ),
  );
}

function searchable({ record_id, variant, prompt, answer, error_code, error_message }: ReportRow): string {
  return [record_id, variant, prompt?.text, answer?.text, error_code, error_message?.text]
    .join('\n')
    .toLowerCase();
}
