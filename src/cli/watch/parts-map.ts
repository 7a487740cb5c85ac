import type { PartCell, PartView, WatchView } from '../../index.ts';
import type { Glyphs, ScreenLine, Span, Tone } from './screen-line.ts';

const TONES: Readonly<Record<PartCell, Tone>> = {
  waiting: 'dim',
  validating: 'wait',
  queued: 'wait',
  running: 'busy',
  collected: 'good',
  failed: 'bad',
};

/** In the order in which a part goes through them. */
export const PART_CELLS = ['waiting', 'validating', 'queued', 'running', 'collected', 'failed'] as const;

/** The tone of a part's state. */
export function toneOf(cell: PartCell): Tone {
  return TONES[cell];
}

/** One cell for each part; where they are too many for the space, one for several: by how many of them are done. */
export function partsMap(
  { parts, unnamedParts }: Pick<WatchView, 'parts' | 'unnamedParts'>,
  {
    width,
    lines,
    glyphs,
    chosen,
  }: { width: number; lines: number; glyphs: Glyphs; chosen: string | undefined },
): ScreenLine[] {
  const total = parts.length + unnamedParts;
  const perCell = Math.ceil(total / (width * lines)) || 1;
  const cells = Array.from({ length: Math.ceil(total / perCell) }, (_, index) =>
    cellOf(parts.slice(index * perCell, (index + 1) * perCell), { perCell, glyphs, chosen }),
  );
  return Array.from({ length: Math.ceil(cells.length / width) }, (_, line) =>
    joined(cells.slice(line * width, (line + 1) * width)),
  );
}

function cellOf(
  parts: readonly PartView[],
  { perCell, glyphs, chosen }: { perCell: number; glyphs: Glyphs; chosen: string | undefined },
): Span {
  const isChosen = parts.some(({ partId }) => partId === chosen);
  if (perCell === 1) {
    const cell = parts[0]?.cell ?? 'waiting';
    return { text: glyphs.cells[cell], tone: isChosen ? 'chosen' : TONES[cell] };
  }
  const failed = parts.some(({ cell }) => cell === 'failed');
  if (failed) return { text: glyphs.cells.failed, tone: isChosen ? 'chosen' : 'bad' };
  const done = parts.reduce((sum, part) => sum + (part.rows === null ? shareOf(part) : 1), 0) / perCell;
  const isBusy = parts.some(({ cell }) => cell === 'running');
  const heat = done === 0 && isBusy ? 1 : Math.floor(done * (glyphs.heat.length - 1));
  const tone = done === 1 ? 'good' : isBusy ? 'busy' : 'dim';
  return { text: glyphs.heat[heat] ?? '', tone: isChosen ? 'chosen' : tone };
}

function shareOf({ done, records }: PartView): number {
  return records === 0 ? 0 : done / records;
}

/** Neighbours of one tone as one span. */
function joined(cells: readonly Span[]): Span[] {
  const spans: Span[] = [];
  for (const cell of cells) {
    const last = spans.at(-1);
    if (last?.tone === cell.tone) spans[spans.length - 1] = { ...last, text: last.text + cell.text };
    else spans.push(cell);
  }
  return spans;
}

/** What the cells say, with how many parts there are of each: `· 3 waiting  ◐ 1 running`. */
export function partsLegend(
  { parts, unnamedParts }: Pick<WatchView, 'parts' | 'unnamedParts'>,
  glyphs: Glyphs,
): ScreenLine {
  const countOf = (cell: PartCell) =>
    parts.filter((part) => part.cell === cell).length + (cell === 'waiting' ? unnamedParts : 0);
  return PART_CELLS.filter((cell) => countOf(cell) > 0).flatMap((cell, index) => [
    { text: `${index === 0 ? '' : '  '}${glyphs.cells[cell]} `, tone: TONES[cell] },
    { text: `${countOf(cell).toLocaleString('en-US')} ${cell}`, tone: 'plain' },
  ]);
}
