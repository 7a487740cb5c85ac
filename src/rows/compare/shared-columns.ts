import type { Column } from '../../core/plan/part.ts';

/** A typed column that both results have, and how its values are compared. */
export interface SharedColumn {
  name: string;
  /** DuckDB's types of it. */
  types: readonly [a: string, b: string];
  /** `text`: by its text, whatever it is. */
  kind: 'number' | 'boolean' | 'text';
  /** The type that both are compared in. */
  type: string;
}

const NUMBER = /^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|DOUBLE|FLOAT|DECIMAL.*)$/;

/** The columns of these names that both results have, in the order of the names. */
export function sharedColumnsOf(
  names: readonly string[],
  [ofA, ofB]: readonly [readonly Column[], readonly Column[]],
): SharedColumn[] {
  return names.flatMap((name): SharedColumn[] => {
    const types = [ofA, ofB].map((columns) => columns.find((column) => column.name === name)?.type);
    const [a, b] = types;
    if (a === undefined || b === undefined) return [];
    if (NUMBER.test(a) && NUMBER.test(b)) {
      return [{ name, types: [a, b], kind: 'number', type: a === b ? a : 'DOUBLE' }];
    }
    if (a === 'BOOLEAN' && b === 'BOOLEAN') return [{ name, types: [a, b], kind: 'boolean', type: a }];
    return [{ name, types: [a, b], kind: 'text', type: 'VARCHAR' }];
  });
}
