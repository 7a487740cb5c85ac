import { printable } from '../views/format.ts';

/** How a piece of a line looks, where there is colour; what it says must be readable without. */
export type Tone = 'plain' | 'dim' | 'strong' | 'good' | 'busy' | 'wait' | 'bad' | 'chosen';

/** A piece of a line. */
export interface Span {
  text: string;
  tone: Tone;
}

/** One line of a screen; what is too long for it is cut by whoever draws it. */
export type ScreenLine = readonly Span[];

/** The signs that a screen is made of. */
export interface Glyphs {
  full: string;
  empty: string;
  /** Cells of parts, by what they say. */
  cells: Readonly<Record<'waiting' | 'validating' | 'queued' | 'running' | 'collected' | 'failed', string>>;
  /** Cells that stand for several parts, by how many of them are done. */
  heat: readonly string[];
  done: string;
  chosen: string;
  dot: string;
  keys: string;
}

const UNICODE: Glyphs = {
  full: '█',
  empty: '░',
  cells: { waiting: '·', validating: '◌', queued: '○', running: '◐', collected: '●', failed: '✗' },
  heat: ['·', '░', '▒', '▓', '█'],
  done: '✓',
  chosen: '›',
  dot: '·',
  keys: '↑↓',
};

const ASCII: Glyphs = {
  full: '#',
  empty: '-',
  cells: { waiting: '.', validating: 'v', queued: 'q', running: 'r', collected: 'o', failed: 'x' },
  heat: ['.', ':', '-', '=', '#'],
  done: 'ok',
  chosen: '>',
  dot: '-',
  keys: 'arrows',
};

/** The signs that a terminal shows, by the language of its environment. */
export function glyphsOf({ LC_ALL, LC_CTYPE, LANG }: Readonly<Record<string, string | undefined>>): Glyphs {
  const locale = LC_ALL || LC_CTYPE || LANG || 'C.UTF-8';
  return /utf-?8/i.test(locale) ? UNICODE : ASCII;
}

/** A piece of a line; text of others is shown, and never obeyed. */
export function span(text: string, tone: Tone = 'plain'): Span {
  return { text: printable(text).replaceAll(/[\n\t]/g, ' '), tone };
}

/** A bar of so many characters. */
export function bar(
  done: number,
  total: number | null,
  { width, glyphs }: { width: number; glyphs: Glyphs },
): Span[] {
  const share = total === null || total === 0 ? 0 : Math.min(1, done / total);
  // Full only once it is.
  const full = share === 1 ? width : Math.min(width - 1, Math.round(width * share));
  return [
    { text: glyphs.full.repeat(full), tone: share === 1 ? 'good' : 'busy' },
    { text: glyphs.empty.repeat(width - full), tone: 'dim' },
  ];
}

/** The line as text alone. */
export function lineText(line: ScreenLine): string {
  return line
    .map(({ text }) => text)
    .join('')
    .trimEnd();
}
