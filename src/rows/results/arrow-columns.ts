import {
  binary,
  bool,
  type DataType,
  dateDay,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  list,
  TimeUnit,
  timestamp,
  uint8,
  uint16,
  uint32,
  uint64,
  utf8,
} from '@uwdata/flechette';
import type { Column } from '../../core/plan/part.ts';
import { sqlName } from '../duckdb/duckdb.ts';

/** How a column's values become a column of Arrow. */
export interface ArrowColumn {
  name: string;
  /** SQL for what is read. */
  sql: string;
  /** What the values are written as, and what they are: the two have the same bytes. */
  written: DataType;
  type: DataType;
  /** A value that was read, as the writer takes it. */
  convert(value: unknown): unknown;
}

type ArrowKind = Pick<ArrowColumn, 'written' | 'convert'> & {
  type?: DataType;
  sqlOf?: (name: string) => string;
};

const asIs = (value: unknown) => value;
const toBigInt = (value: unknown) => BigInt(String(value));

const KINDS: Readonly<Record<string, ArrowKind>> = {
  BOOLEAN: { written: bool(), convert: asIs },
  TINYINT: { written: int8(), convert: Number },
  SMALLINT: { written: int16(), convert: Number },
  INTEGER: { written: int32(), convert: Number },
  BIGINT: { written: int64(), convert: toBigInt },
  UTINYINT: { written: uint8(), convert: Number },
  USMALLINT: { written: uint16(), convert: Number },
  UINTEGER: { written: uint32(), convert: Number },
  UBIGINT: { written: uint64(), convert: toBigInt },
  FLOAT: { written: float32(), convert: Number },
  DOUBLE: { written: float64(), convert: Number },
  VARCHAR: { written: utf8(), convert: String },
  BLOB: {
    written: binary(),
    convert: (value) => Buffer.from(String(value), 'base64'),
    sqlOf: (name) => `to_base64(${name})`,
  },
  DATE: {
    written: int32(),
    type: dateDay(),
    convert: Number,
    sqlOf: (name) => `date_diff('day', DATE '1970-01-01', ${name})`,
  },
  TIMESTAMP: timestampKind('epoch_us', timestamp(TimeUnit.MICROSECOND)),
  TIMESTAMP_NS: timestampKind('epoch_ns', timestamp(TimeUnit.NANOSECOND)),
  'TIMESTAMP WITH TIME ZONE': timestampKind('epoch_us', timestamp(TimeUnit.MICROSECOND, 'UTC')),
};

function timestampKind(epoch: string, type: DataType): ArrowKind {
  return { written: int64(), type, convert: toBigInt, sqlOf: (name) => `${epoch}(${name})` };
}

/**
 * How a column of a result file is written in Arrow: of its own type, where that is a number, a text, a truth, bytes, a day, a
 * moment, or a list of numbers, texts or truths; anything else as text, objects and lists of them as JSON.
 */
export function arrowColumnOf({ name, type }: Column): ArrowColumn {
  const quoted = sqlName(name);
  const kind = KINDS[type];
  if (kind !== undefined) {
    const { written, convert, sqlOf } = kind;
    return { name, sql: sqlOf?.(quoted) ?? quoted, written, type: kind.type ?? written, convert };
  }
  const item = /^([A-Z]+)\[\d*\]$/.exec(type)?.[1];
  const items = item === undefined ? undefined : KINDS[item];
  if (items !== undefined && items.sqlOf === undefined) {
    const { written, convert } = items;
    const convertAll = (value: unknown) =>
      (value as unknown[]).map((each) => (each === null ? null : convert(each)));
    return { name, sql: quoted, written: list(written), type: list(written), convert: convertAll };
  }
  const isNested = /[\])]$/.test(type) && !type.startsWith('DECIMAL');
  const text = isNested ? `CAST(to_json(${quoted}) AS VARCHAR)` : `CAST(${quoted} AS VARCHAR)`;
  return { name, sql: text, written: utf8(), type: utf8(), convert: String };
}
