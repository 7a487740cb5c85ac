import type { Column } from './part.ts';

/** What a name of ours begins with that keeps a column apart from others, which differ from it by capitals alone. */
const APART = /^__quarry_\d+_/;

/** The name that a column has in its files, and in prompts. */
export function givenName(name: string): string {
  return name.replace(APART, '');
}

/** True for a name that keeps its column apart from others. */
export function isApart(name: string): boolean {
  return APART.test(name);
}

/** The column of a name as files and prompts have it. */
export function columnGiven(columns: readonly Column[], given: string): Column | undefined {
  return columns.find(({ name }) => givenName(name) === given);
}

/** What DuckDB takes two names for the same by: capitals of ASCII. */
export function foldName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/**
 * The columns under names that DuckDB tells apart: those whose names differ by capitals alone get other ones while we work on
 * them, and so does one that has the name which DuckDB would give such a column by itself.
 */
export function keepApart(columns: readonly Column[]): Column[] {
  const counts = new Map<string, number>();
  for (const { name } of columns) counts.set(foldName(name), (counts.get(foldName(name)) ?? 0) + 1);
  const isTwin = (folded: string) => (counts.get(folded) ?? 0) > 1;
  if (![...counts.keys()].some(isTwin)) return [...columns];
  return columns.map((column, place) => {
    const folded = foldName(column.name);
    const isTaken = isTwin(folded) || stemsOf(folded).some(isTwin);
    return isTaken ? { ...column, name: `__quarry_${place}_${column.name}` } : column;
  });
}

/** The names that DuckDB may have made this one of, which would then be another column's: `a_1_1` of `a_1` and of `a`. */
export function stemsOf(name: string): string[] {
  const stem = /^(.*)_\d+$/s.exec(name)?.[1];
  return stem === undefined ? [] : [stem, ...stemsOf(stem)];
}

/** What DuckDB calls the columns of a file: of names that differ by capitals alone, those after the first get a number. */
export function namesAsRead(names: readonly string[]): string[] {
  const counts = new Map<string, number>();
  return names.map((given) => {
    let name = given;
    for (;;) {
      const folded = foldName(name);
      const count = counts.get(folded);
      counts.set(folded, (count ?? 0) + 1);
      if (count === undefined) return name;
      name = `${name}_${count}`;
    }
  });
}
