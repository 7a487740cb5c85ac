/** How often two who judge the same rows said what. */
export interface JudgedAlike {
  a: string | null;
  b: string | null;
  rows: number;
}

/**
 * Cohen's kappa: how much more often two agree than two who guess as often as they would; 1 always, 0 as often. Null where both say
 * one and the same of all rows, or there is none. J. Cohen, A coefficient of agreement for nominal scales, Educational and
 * Psychological Measurement 20 (1960).
 */
export function kappaOf(table: readonly JudgedAlike[]): number | null {
  const ofA = new Map<string | null, number>();
  const ofB = new Map<string | null, number>();
  let [all, agreed] = [0, 0];
  for (const { a, b, rows } of table) {
    ofA.set(a, (ofA.get(a) ?? 0) + rows);
    ofB.set(b, (ofB.get(b) ?? 0) + rows);
    all += rows;
    if (a === b) agreed += rows;
  }
  const guessed = [...ofA].reduce((sum, [value, rows]) => sum + rows * (ofB.get(value) ?? 0), 0);
  // Whole numbers until here: what is 1 is so exactly.
  if (guessed === all * all) return null;
  return (agreed * all - guessed) / (all * all - guessed);
}
