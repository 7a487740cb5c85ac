import { chiSquaredTail, fairCoinShare, studentQuantile, studentTails } from './distributions.ts';

/** A share of rows with its interval: where the share of all such rows is, with 95 % confidence. */
export interface Share {
  rows: number;
  of: number;
  /** From 0 to 1; null where `of` is 0. */
  share: number | null;
  interval: readonly [low: number, high: number] | null;
}

/** A test of whether what differs could be chance, and its p-value. */
export interface Significance {
  test: 'mcnemar' | 'bowker' | 'paired_t';
  p: number;
}

/** The mean of paired differences, with its interval at 95 % and its test. */
export interface MeanShift {
  mean: number;
  /** Null where fewer than two pairs are there. */
  interval: readonly [low: number, high: number] | null;
  significance: Significance | null;
}

/** How often a value became another one. */
export interface Transition<Value = string | null> {
  from: Value;
  to: Value;
  rows: number;
}

/** What 95 % of a normal distribution are within, in standard deviations. */
const Z = 1.959963984540054;

/**
 * A share with Wilson's score interval. E. B. Wilson, Probable inference, the law of succession, and statistical inference,
 * JASA 22 (1927); Brown, Cai and DasGupta, Interval estimation for a binomial proportion, Statistical Science 16 (2001), advise it.
 */
export function shareOf(rows: number, of: number): Share {
  if (of === 0) return { rows, of, share: null, interval: null };
  const share = rows / of;
  const centre = (rows + Z ** 2 / 2) / (of + Z ** 2);
  const half = (Z / (of + Z ** 2)) * Math.sqrt((rows * (of - rows)) / of + Z ** 2 / 4);
  const low = rows === 0 ? 0 : Math.max(0, centre - half);
  const high = rows === of ? 1 : Math.min(1, centre + half);
  return { rows, of, share, interval: [low, high] };
}

/**
 * Whether labels moved one way more than the other: of two labels McNemar's exact test (Psychometrika 12, 1947), of more
 * Bowker's test of symmetry (JASA 43, 1948), which is McNemar's for many. Null where no row moved.
 */
export function labelSignificance(transitions: readonly Transition<string>[]): Significance | null {
  const moved = new Map<string, [forth: number, back: number]>();
  const labels = new Set<string>();
  for (const { from, to, rows } of transitions) {
    labels.add(from).add(to);
    if (from === to) continue;
    const key = JSON.stringify([from, to].sort());
    const [forth, back] = moved.get(key) ?? [0, 0];
    moved.set(key, from < to ? [forth + rows, back] : [forth, back + rows]);
  }
  const [first] = moved.values();
  if (first === undefined) return null;
  if (labels.size === 2) {
    const n = first[0] + first[1];
    return { test: 'mcnemar', p: Math.min(1, 2 * fairCoinShare(Math.min(...first), n)) };
  }
  const statistic = moved
    .values()
    .reduce((sum, [forth, back]) => sum + (forth - back) ** 2 / (forth + back), 0);
  return { test: 'bowker', p: chiSquaredTail(statistic, moved.size) };
}

/** What `n` paired differences of this mean and this standard deviation (of a sample) say, by Student's paired t-test. */
export function meanShiftOf({
  n,
  mean,
  deviation,
}: {
  n: number;
  mean: number;
  deviation: number;
}): MeanShift {
  if (n < 2) return { mean, interval: null, significance: null };
  if (deviation === 0) {
    const significance = mean === 0 ? null : ({ test: 'paired_t', p: 0 } as const);
    return { mean, interval: [mean, mean], significance };
  }
  const error = deviation / Math.sqrt(n);
  const half = studentQuantile(0.05, n - 1) * error;
  return {
    mean,
    interval: [mean - half, mean + half],
    significance: { test: 'paired_t', p: studentTails(mean / error, n - 1) },
  };
}
