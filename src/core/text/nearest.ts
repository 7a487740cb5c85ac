import { distance } from 'fastest-levenshtein';

/** All candidates, the one most like `word` first; for "did you mean". */
export function byLikeness(word: string, candidates: readonly string[]): string[] {
  const lower = word.toLowerCase();
  return candidates
    .map((candidate) => ({ candidate, edits: distance(lower, candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits)
    .map(({ candidate }) => candidate);
}

/** The candidate most like `word`, where it is likely a slip of the fingers: at most two edits in five letters. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const [best] = byLikeness(word, candidates);
  if (best === undefined) return undefined;
  return distance(word.toLowerCase(), best.toLowerCase()) <= Math.max(2, word.length * 0.4)
    ? best
    : undefined;
}
