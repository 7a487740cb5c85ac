/** Terms of a continued fraction or a series at most: some √n are needed for n = 10⁷. */
const MOST_TERMS = 100_000;
const EPSILON = 1e-15;

/** Lanczos' approximation with g = 7 and nine terms. https://dlmf.nist.gov/5.11 */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** The logarithm of the gamma function, of x ≥ 0.5. */
function logGamma(x: number): number {
  const at = x - 1;
  const [first = 0, ...others] = LANCZOS;
  const sum = others.reduce((total, term, index) => total + term / (at + index + 1), first);
  const t = at + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (at + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** A continued fraction by Lentz's method: `term(n)` gives its numerators and denominators from n = 1. Where it is used here none of its steps is 0. */
function continuedFraction(
  first: number,
  term: (n: number) => [numerator: number, denominator: number],
): number {
  let value = first;
  let [c, d] = [value, 0];
  for (let n = 1; n < MOST_TERMS; n++) {
    const [numerator, denominator] = term(n);
    d = 1 / (denominator + numerator * d);
    c = denominator + numerator / c;
    value *= c * d;
    if (Math.abs(c * d - 1) < EPSILON) break;
  }
  return value;
}

/** The share of a chi-squared distribution that is beyond x. https://dlmf.nist.gov/8.9, and 8.11 for what is near. */
export function chiSquaredTail(x: number, degreesOfFreedom: number): number {
  const [a, at] = [degreesOfFreedom / 2, x / 2];
  if (at <= 0) return 1;
  const scale = Math.exp(a * Math.log(at) - at - logGamma(a));
  if (at >= a + 1) return scale / continuedFraction(at + 1 - a, (n) => [n * (a - n), at + 2 * n + 1 - a]);
  let [term, sum] = [1 / a, 1 / a];
  for (let n = 1; n < MOST_TERMS && term > sum * EPSILON; n++) {
    term *= at / (a + n);
    sum += term;
  }
  return 1 - scale * sum;
}

/** The share of a beta distribution that is below x. https://dlmf.nist.gov/8.17 */
function betaShare(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges soon on this side of the mean alone.
  if (x > (a + 1) / (a + b + 2)) return 1 - betaShare(1 - x, b, a);
  const scale = Math.exp(
    a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b) - Math.log(a),
  );
  const fraction = continuedFraction(1, (n) => {
    const m = Math.floor(n / 2);
    const numerator =
      n % 2 === 0
        ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
        : (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    return [numerator, 1];
  });
  return scale / fraction;
}

/** The share of Student's t distribution that is farther from 0 than t, on both sides. */
export function studentTails(t: number, degreesOfFreedom: number): number {
  return betaShare(degreesOfFreedom / (degreesOfFreedom + t * t), degreesOfFreedom / 2, 0.5);
}

/** The t that is exceeded, on both sides together, by this share of Student's t distribution. */
export function studentQuantile(share: number, degreesOfFreedom: number): number {
  let [low, high] = [0, 1];
  while (studentTails(high, degreesOfFreedom) > share) high *= 2;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (studentTails(middle, degreesOfFreedom) > share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** How likely n throws of a fair coin give `heads` heads or fewer. */
export function fairCoinShare(heads: number, n: number): number {
  return heads >= n ? 1 : betaShare(0.5, n - heads, heads + 1);
}
