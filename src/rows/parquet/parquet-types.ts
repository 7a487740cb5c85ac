import { foldName } from '../../core/plan/names-apart.ts';
import { privately } from '../../core/text/private-text.ts';
import type { SchemaNode } from './parquet-footer.ts';

/** What becomes of a column whose values cannot simply be kept: no field of it is set where they can. */
export interface TypeVerdict {
  /** Why the file is refused, and what to do: words that follow the column's name. */
  refused?: string;
  /** As what type the same values come back, which is to be told. */
  becomes?: string;
  /** True where that holds for whole microseconds only. */
  isNanos?: boolean;
  /** True where the column has nothing but nulls, and no type. */
  isNulls?: boolean;
}

/** Most digits that a DECIMAL may have. */
const MOST_DIGITS = 38;

/** What becomes of a top-level column; the first thing that is wrong with it or with what is nested in it. */
export function judgeColumn(column: SchemaNode): TypeVerdict {
  const { children, logical } = column;
  if (logical?.kind === 'VARIANT') {
    return {
      refused: 'is a VARIANT, which Quarry does not read. Cast it to text (JSON), or to a type of its own.',
    };
  }
  if (children.length === 0) return judgeLeaf(column);
  const twins = twinsIn(children);
  if (twins !== undefined) {
    return {
      refused: `has fields ${privately(JSON.stringify(twins[0]))} and ${privately(JSON.stringify(twins[1]))}, which DuckDB takes for the same. Rename one.`,
    };
  }
  const verdicts = children.map(judgeColumn);
  const refused = verdicts.find((verdict) => verdict.refused !== undefined);
  if (refused !== undefined) return refused;
  const { becomes } = verdicts.find((verdict) => verdict.becomes !== undefined) ?? {};
  const isNanos = verdicts.some((verdict) => verdict.isNanos);
  return { ...(becomes === undefined ? {} : { becomes }), ...(isNanos ? { isNanos } : {}) };
}

/** Two fields whose names are the same, or the same but for capitals of ASCII. */
function twinsIn(fields: readonly SchemaNode[]): [string, string] | undefined {
  const seen = new Map<string, string>();
  for (const { name } of fields) {
    const folded = foldName(name);
    const twin = seen.get(folded);
    if (twin !== undefined) return [twin, name];
    seen.set(folded, name);
  }
  return undefined;
}

function judgeLeaf({ physical, converted, logical, precision = 0, scale = 0 }: SchemaNode): TypeVerdict {
  if (physical === 'INT96') return { becomes: 'TIMESTAMP in microseconds', isNanos: true };
  if (converted === 'DECIMAL' || logical?.kind === 'DECIMAL') {
    return precision <= MOST_DIGITS
      ? {}
      : {
          refused: `is a DECIMAL(${precision},${scale}), and at most ${MOST_DIGITS} digits can be kept. Cast it to DECIMAL(${MOST_DIGITS},${scale}), or to text.`,
        };
  }
  if (converted === 'TIMESTAMP_MILLIS' || converted === 'TIME_MILLIS' || logical?.unit === 'MILLIS') {
    const kind = logical?.kind ?? converted?.replace('_MILLIS', '');
    const isInUtc = kind === 'TIMESTAMP' && logical?.isAdjustedToUtc === true;
    return { becomes: `${kind}${isInUtc ? ' WITH TIME ZONE' : ''} in microseconds` };
  }
  switch (logical?.kind ?? converted) {
    case 'TIMESTAMP':
      // Without a zone DuckDB keeps nanoseconds.
      return logical?.unit === 'NANOS' && logical.isAdjustedToUtc === true
        ? { becomes: 'TIMESTAMP WITH TIME ZONE in microseconds', isNanos: true }
        : {};
    case 'TIME':
      return logical?.unit === 'NANOS'
        ? {
            refused:
              'is a TIME in nanoseconds, and only microseconds can be kept. Cast it to TIME in microseconds, or to text.',
          }
        : {};
    case 'FLOAT16':
      return { becomes: 'FLOAT' };
    case 'ENUM':
      return { becomes: 'VARCHAR' };
    case 'NULL':
      return { becomes: 'INTEGER, as it has nothing but nulls', isNulls: true };
    case 'BSON':
      return { refused: 'is BSON, which Quarry does not read. Cast it to text (JSON), or to plain binary.' };
    case 'GEOMETRY':
    case 'GEOGRAPHY':
      return {
        refused: `is a ${logical?.kind}, which would not come back as it was. Cast it to WKB, as plain binary.`,
      };
    case 'UNKNOWN':
      return { refused: 'is of a type that Quarry does not know. Cast it to one of docs/data.md.' };
    case undefined:
      if (physical === 'FIXED_LEN_BYTE_ARRAY') return { becomes: 'BLOB of any length' };
      if (physical !== 'an unknown type') return {};
      return { refused: 'is of a type that Quarry does not know. Cast it to one of docs/data.md.' };
    default:
      return physical === 'an unknown type'
        ? { refused: 'is of a type that Quarry does not know. Cast it to one of docs/data.md.' }
        : {};
  }
}
