/** What an element may have: attributes, and listeners by their event. */
export interface Attributes {
  [name: string]: string | number | boolean | undefined | ((event: Event) => void);
}

export type Child = Node | string | null | undefined | false | readonly Child[];

/** Makes an element. Texts become text nodes, and nothing else: no text is ever parsed as HTML. */
export function h(tag: string, attributes: Attributes = {}, ...children: Child[]): HTMLElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

function append(element: HTMLElement, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (child instanceof Node) element.append(child);
    else if (typeof child === 'string') element.append(document.createTextNode(child));
    else append(element, child as readonly Child[]);
  }
}

/** Characters that are not to be seen, or that turn the text around them: shown by what they are. */
const UNSEEN = /[\p{Cc}\p{Cf}]/gu;

/** A text of a dataset or a model as it may stand on a page: its control characters are visible. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (character) => {
    if (character === '\n' || character === '\t' || character === '\u200d') return character;
    const code = character.codePointAt(0) ?? 0;
    // U+2400 is the picture of a NUL.
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}

/** Somebody else's text within our sentence: what it is does not turn ours around. */
export function foreign(text: string, tag = 'bdi'): HTMLElement {
  return h(tag, { dir: 'auto' }, visible(text));
}

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export function number(value: number): string {
  return WHOLE.format(value);
}

export function usd(value: number): string {
  const digits = value !== 0 && value < 1 ? 4 : 2;
  return `$${value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

export function percent(part: number, total: number): string {
  if (total === 0) return '–';
  const share = (100 * part) / total;
  if (share > 0 && share < 0.1) return '< 0.1 %';
  if (share > 99.9 && share < 100) return '> 99.9 %';
  return `${share.toFixed(share === 0 || share === 100 ? 0 : 1)} %`;
}

/** "1 row", "1,050 rows". */
export function count(value: number, noun: string): string {
  return `${number(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** "27 h 3 min", "4 min 10 s", "3.2 s". */
export function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "2026-11-27 19:40:05 UTC". */
export function moment(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}

/** A table with its caption and head; numbers are told by their column's name in `numeric`. */
export function table(
  { caption, head, numeric = [] }: { caption: string; head: readonly string[]; numeric?: readonly string[] },
  rows: readonly (readonly Child[])[],
): HTMLElement {
  const classOf = (name: string | undefined) =>
    name !== undefined && numeric.includes(name) ? 'number' : undefined;
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': caption },
    h(
      'table',
      {},
      h('caption', { class: 'unseen' }, caption),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          head.map((name) => h('th', { scope: 'col', class: classOf(name) }, name)),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map((cells) =>
          h(
            'tr',
            {},
            cells.map((cell, index) =>
              index === 0
                ? h('th', { scope: 'row', class: classOf(head[index]) }, cell)
                : h('td', { class: classOf(head[index]) }, cell),
            ),
          ),
        ),
      ),
    ),
  );
}

/** A bar of a share, beside its number: nothing that a reader who does not see it would miss. */
export function bar(share: number, colour = 'accent'): HTMLElement {
  const fill = h('span', { class: `bar-fill ${colour}` });
  fill.style.width = `${Math.max(share > 0 ? 1 : 0, 100 * share)}%`;
  return h('span', { class: 'bar', 'aria-hidden': 'true' }, fill);
}
