import { InvalidDatasetError } from '../../core/errors.ts';
import type { Column, DriftedColumn } from '../../core/plan/part.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { privately } from '../../core/text/private-text.ts';
import { ONLY_NULLS, widenedType } from './widened-type.ts';

/** A file, and the columns that it has: none where there is nothing in it. */
export interface FileColumns {
  uri: S3Uri;
  columns: readonly Column[];
  /** True where the file has nothing in it, not even columns. */
  isEmpty: boolean;
}

/** The columns of all files together. */
export interface UnionColumns {
  columns: Column[];
  /** For each file, the columns that it has in another type, or lacks. */
  drifts: DriftedColumn[][];
}

/** What a column of nulls is written as where no file says more of it. */
const TYPE_OF_NULLS = 'INTEGER';

/**
 * Every column that a file has, in the order of first use, in a type that has the values of all. Throws InvalidDatasetError where
 * there is no such type.
 */
export function unionColumns(files: readonly FileColumns[]): UnionColumns {
  const union = new Map<string, { type: string; uri: S3Uri }>();
  for (const { uri, columns } of files) {
    for (const { name, type } of columns) {
      const known = union.get(name) ?? { type, uri };
      const wide = widenedType(known.type, type);
      if (wide === undefined) {
        throw new InvalidDatasetError(
          `The column ${privately(JSON.stringify(name))} is ${known.type} in ${known.uri} and ${type} in ${uri}, and no type has the values of both as they are. Write it in one type.`,
        );
      }
      union.set(name, wide === known.type ? known : { type: wide, uri });
    }
  }
  const columns = [...union].map(([name, { type }]) => ({ name, type: settled(type) }));
  return {
    columns,
    drifts: files.map(({ columns: own, isEmpty }) => {
      if (isEmpty) return [];
      const types = new Map(own.map((column) => [column.name, column.type]));
      return columns.flatMap(({ name, type }): DriftedColumn[] => {
        const given = types.get(name);
        if (given === undefined) return [{ name, type, nulls: true }];
        if (settled(given) === type) return [];
        return [{ name, type, ...(given === ONLY_NULLS ? { nulls: true } : {}) }];
      });
    }),
  };
}

/** The type as it is read and written. */
export function settled(type: string): string {
  return type === ONLY_NULLS ? TYPE_OF_NULLS : type;
}

/** What is to be told of a file's columns that are not as the dataset's; nothing where all are. */
export function driftNote(drift: readonly DriftedColumn[], columns: readonly Column[]): string | undefined {
  const types = new Map(columns.map(({ name, type }) => [name, type]));
  const told = drift.map(({ name, type }) =>
    types.has(name)
      ? `${name} (${types.get(name)}) is read as ${type}`
      : `${name} is not there, and is filled with nulls`,
  );
  return told.length === 0 ? undefined : told.join('; ');
}
