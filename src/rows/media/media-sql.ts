import { columnGiven } from '../../core/plan/names-apart.ts';
import type { Column } from '../../core/plan/part.ts';
import type { RecordFrame } from '../../models/record-frame.ts';
import { guardedSql, sqlName } from '../duckdb/duckdb.ts';
import { parseType } from '../duckdb/nested-type.ts';

/** How a column has its images or documents: their bytes, texts that name them, or both, as Hugging Face has. */
export type MediaShape = 'bytes' | 'text' | 'struct';

/** How a column may have them; undefined where its type has none. */
export function mediaShapeOf({ type }: Column): MediaShape | undefined {
  if (type === 'BLOB') return 'bytes';
  if (type === 'VARCHAR') return 'text';
  const parsed = parseType(type);
  if (parsed.kind !== 'struct') return undefined;
  const typeOf = (field: string) => {
    const found = parsed.fields.find(({ name }) => name === field)?.type;
    return found?.kind === 'scalar' ? found.name : undefined;
  };
  return typeOf('bytes') === 'BLOB' && typeOf('path') === 'VARCHAR' ? 'struct' : undefined;
}

/** SQL for what a column has: its bytes, as a BLOB, and the text that names them, to be read by way of `unguarded`. */
export function mediaSql(column: Column): { bytes: string; text: string } {
  const name = sqlName(column.name);
  switch (mediaShapeOf(column)) {
    case 'bytes':
      return { bytes: name, text: 'CAST(NULL AS VARCHAR)' };
    case 'struct':
      return {
        bytes: `struct_extract(${name}, 'bytes')`,
        text: guardedSql(`struct_extract(${name}, 'path')`),
      };
    default:
      return { bytes: 'CAST(NULL AS BLOB)', text: guardedSql(name) };
  }
}

/** SQL for the SHA-256, in hexadecimal, of each of a row's images and documents; of those that are named by a text it is null. */
export function mediaDigestsSql({ media = [] }: RecordFrame, columns: readonly Column[]): string[] {
  return media.map(({ column }) => {
    const found = columnGiven(columns, column);
    return found === undefined ? 'CAST(NULL AS VARCHAR)' : `sha256(${mediaSql(found).bytes})`;
  });
}
