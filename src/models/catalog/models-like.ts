import { nearest } from '../../core/text/nearest.ts';
import { idsOf, MODEL_CATALOG } from './model-catalog.ts';
import type { ModelFacts } from './model-facts.ts';

/** Letters that a word must have to be looked for within ids. */
const MIN_LETTERS = 4;
/** Models that a message names at most. */
const MOST_NAMED = 3;

const WITH_BATCH = MODEL_CATALOG.filter(({ batch }) => batch.kind === 'yes');

/** Geographies and providers. */
const KNOWN_BEGINNING = new RegExp(
  `^(?:[a-z]+(?:-gov)?\\.)?(?:${[...new Set(MODEL_CATALOG.map(({ id }) => id.slice(0, id.indexOf('.'))))].join('|')})\\.`,
);

/** The models with batch inference that somebody may have meant by a word; the newest first, three at most. */
export function modelsLike(word: string): ModelFacts[] {
  const wanted = plain(word.replace(KNOWN_BEGINNING, ''));
  if (wanted === '') return [];
  const same = WITH_BATCH.filter((facts) => namesOf(facts).includes(wanted));
  if (same.length > 0) return same;
  const within =
    wanted.length < MIN_LETTERS
      ? []
      : WITH_BATCH.filter((facts) => namesOf(facts).some((name) => name.includes(wanted)));
  if (within.length > 0) return within.toReversed().slice(0, MOST_NAMED);
  const near = nearest(wanted, WITH_BATCH.flatMap(namesOf));
  return near === undefined ? [] : WITH_BATCH.filter((facts) => namesOf(facts).includes(near));
}

/** ` Did you mean …?`, or nothing. */
export function didYouMeanModel(word: string): string {
  const meant = modelsLike(word).flatMap((facts) => idsOf(facts)[0] ?? []);
  return meant.length === 0 ? '' : ` Did you mean ${meant.join(', or ')}?`;
}

/** Its id without provider, version and date, and its name. */
function namesOf({ id, name }: ModelFacts): string[] {
  const stem = id
    .slice(id.indexOf('.') + 1)
    .replace(/-v\d+(?::\d+)?$|:\d+$/, '')
    .replace(/-20\d{6}$/, '');
  return [plain(stem), plain(name)];
}

function plain(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]/g, '');
}
