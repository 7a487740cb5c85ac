import type { PartView, ShownAnswer, WatchView } from '../../index.ts';

/** What somebody who watches has chosen to see. */
export interface ScreenState {
  page: 'run' | 'part' | 'answers' | 'answer';
  /** The part that is chosen; undefined = the first one. */
  partId: string | undefined;
  /** The answer that is chosen: itself, as newer ones come before it. */
  answer: ShownAnswer | undefined;
  /** Lines that are passed over of a page that is longer than the screen. */
  scroll: number;
}

/** A key that was pressed. */
export type WatchKey = 'up' | 'down' | 'open' | 'back' | 'answers';

/** What is shown at first. */
export const FIRST_STATE: ScreenState = { page: 'run', partId: undefined, answer: undefined, scroll: 0 };

/** States in the order in which parts are listed: what is under way comes first. */
const RANKS: readonly PartView['state'][] = [
  'running',
  'collecting',
  'queued',
  'validating',
  'submitted',
  'waiting',
  'failed',
  'planned',
  'collected',
];

/** The parts as they are listed. */
export function listedParts({ parts }: Pick<WatchView, 'parts'>): PartView[] {
  return parts.toSorted((a, b) => RANKS.indexOf(a.state) - RANKS.indexOf(b.state));
}

/** The part that is chosen; undefined where there is none yet. */
export function chosenPart(view: Pick<WatchView, 'parts'>, { partId }: ScreenState): PartView | undefined {
  return view.parts.find((part) => part.partId === partId) ?? listedParts(view)[0];
}

/** The answer that is chosen, or the newest one. */
export function chosenAnswer(
  { answers }: Pick<WatchView, 'answers'>,
  { answer }: ScreenState,
): ShownAnswer | undefined {
  return answer ?? answers[0];
}

/** The state after a key. */
export function pressed(state: ScreenState, key: WatchKey, view: WatchView): ScreenState {
  switch (key) {
    case 'back':
      return { ...state, page: state.page === 'answer' ? 'answers' : 'run', scroll: 0 };
    case 'answers':
      return { ...state, page: 'answers', scroll: 0 };
    case 'open':
      return opened(state, view);
    case 'up':
    case 'down':
      return moved(state, key === 'up' ? -1 : 1, view);
  }
}

function opened(state: ScreenState, view: WatchView): ScreenState {
  switch (state.page) {
    case 'run': {
      const part = chosenPart(view, state);
      return part === undefined ? state : { ...state, page: 'part', partId: part.partId, scroll: 0 };
    }
    case 'answers': {
      const answer = chosenAnswer(view, state);
      return answer === undefined ? state : { ...state, page: 'answer', answer, scroll: 0 };
    }
    case 'part':
    case 'answer':
      return state;
  }
}

function moved(state: ScreenState, by: number, view: WatchView): ScreenState {
  switch (state.page) {
    case 'run': {
      const ids = listedParts(view).map(({ partId }) => partId);
      return { ...state, partId: neighbour(ids, chosenPart(view, state)?.partId, by) };
    }
    case 'answers':
      return { ...state, answer: neighbour(view.answers, chosenAnswer(view, state), by) };
    case 'part':
    case 'answer':
      return { ...state, scroll: Math.max(0, state.scroll + by) };
  }
}

function neighbour<T>(list: readonly T[], chosen: T | undefined, by: number): T | undefined {
  const at = chosen === undefined ? 0 : list.indexOf(chosen);
  return list[Math.min(list.length - 1, Math.max(0, at + by))] ?? chosen;
}
