/**
 * A text of somebody else's as a sentence of its own, so that ours can follow it: with a full stop, where it has no end
 * already.
 */
export function sentenceOf(text: string): string {
  const trimmed = text.trimEnd();
  return trimmed === '' || /[.!?…][)"'”’]?$/u.test(trimmed) ? trimmed : `${trimmed}.`;
}
