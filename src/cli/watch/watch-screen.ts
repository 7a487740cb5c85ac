import type { WatchView } from '../../index.ts';
import { answerPage, answersPage, partPage } from './detail-pages.ts';
import { runPage, type ScreenSize } from './run-page.ts';
import { type ScreenLine, span } from './screen-line.ts';
import { chosenAnswer, chosenPart, type ScreenState } from './screen-state.ts';

/** What a terminal of this size shows: as many lines as it has, the keys in the last one. */
export function watchScreen(
  view: WatchView | undefined,
  state: ScreenState,
  { size, leaving }: { size: ScreenSize; leaving: string },
): ScreenLine[] {
  const lines = view === undefined ? [[span('Looking …', 'dim')]] : pageOf(view, state, size);
  const room = size.rows - 1;
  const from = Math.min(state.scroll, Math.max(0, lines.length - room));
  const shown = lines.slice(from, from + room);
  const blank: ScreenLine[] = Array.from({ length: room - shown.length }, () => []);
  return [...shown, ...blank, [span(keysOf(state, size, leaving), 'dim')]];
}

function pageOf(view: WatchView, state: ScreenState, size: ScreenSize): ScreenLine[] {
  const part = state.page === 'part' ? chosenPart(view, state) : undefined;
  if (part !== undefined) return partPage(view, part, size);
  if (state.page === 'answers') return answersPage(view, state, size);
  const answer = state.page === 'answer' ? chosenAnswer(view, state) : undefined;
  return answer === undefined ? runPage(view, state, size) : answerPage(view, answer, size);
}

function keysOf({ page }: ScreenState, { glyphs }: ScreenSize, leaving: string): string {
  const { keys } = glyphs;
  switch (page) {
    case 'run':
      return `${keys} part  enter open it  a answers  ${leaving}`;
    case 'part':
      return `${keys} scroll  esc back  a answers  ${leaving}`;
    case 'answers':
      return `${keys} answer  enter open it  esc back  ${leaving}`;
    case 'answer':
      return `${keys} scroll  esc back  ${leaving}`;
  }
}
