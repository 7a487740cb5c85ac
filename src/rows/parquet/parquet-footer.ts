import { open } from 'node:fs/promises';
import {
  CompressionCodecs,
  ConvertedTypes,
  Encodings,
  FieldRepetitionTypes,
  ParquetTypes,
} from 'hyparquet/src/constants.js';
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';

/** A place in the tree of a Parquet file's columns. https://github.com/apache/parquet-format */
export interface SchemaNode {
  name: string;
  repetition: 'REQUIRED' | 'OPTIONAL' | 'REPEATED';
  /** Empty for a column that has values of its own. */
  children: SchemaNode[];
  /** How its values are written: `INT64`, …; absent where it has children. */
  physical?: string;
  /** Bytes of a FIXED_LEN_BYTE_ARRAY. */
  length?: number;
  /** What the values mean, as files of old say it: `UTF8`, `TIMESTAMP_MILLIS`, … */
  converted?: string;
  /** The same as files of today say it; `UNKNOWN` where it is of a later version of the format. */
  logical?: LogicalType;
  precision?: number;
  scale?: number;
}

/** A logical type of Parquet, as far as it decides how values are read. */
export interface LogicalType {
  kind: string;
  unit?: 'MILLIS' | 'MICROS' | 'NANOS';
  isAdjustedToUtc?: boolean;
}

/** One column's pages in one row group. */
export interface ColumnChunk {
  /** Names from the top of the schema on. */
  path: string[];
  codec: string;
  encodings: string[];
  values: number;
  /** Offset and length of its pages in the file. */
  start: number;
  bytes: number;
  unpackedBytes: number;
  isEncrypted: boolean;
  /** True where its pages are in another file. */
  isElsewhere: boolean;
}

/** What a Parquet file says of itself at its end. */
export interface ParquetFooter {
  rows: number;
  /** The top-level columns. */
  columns: SchemaNode[];
  rowGroups: { rows: number; chunks: ColumnChunk[] }[];
  createdBy: string;
  /** What the columns were to Arrow, where it wrote the file; in Base64. */
  arrowSchema?: string;
}

/** Bytes at the end that are read at once: most footers are in them. */
const TAIL_BYTES = 64 * 1024;
const TRAILER_BYTES = 8;

const DAMAGED = 'is damaged: its footer cannot be read. Have it written or downloaded again.';

/** What is wrong with a file that ends as no Parquet file does, and with one whose end says that it is encrypted: words that follow its name. */
export const NO_PARQUET =
  'is not a Parquet file: it does not end like one. Was its upload or download broken off?';
export const ENCRYPTED = 'is encrypted. Write it without encryption.';

/** Why a file has no footer that can be read: words that follow its name. */
export class FooterFault extends Error {}

/** Reads the footer of a Parquet file; throws FooterFault where it has none. */
export async function readParquetFooter(path: string): Promise<ParquetFooter> {
  await using file = await open(path);
  const { size } = await file.stat();
  const tail = await read(file, Math.max(0, size - TAIL_BYTES), size);
  const magic = tail.toString('latin1', tail.length - 4);
  if (magic === 'PARE') throw new FooterFault(ENCRYPTED);
  if (tail.length < TRAILER_BYTES || magic !== 'PAR1') throw new FooterFault(NO_PARQUET);
  const length = tail.readUInt32LE(tail.length - TRAILER_BYTES);
  const start = size - TRAILER_BYTES - length;
  if (start < 4) throw new FooterFault(DAMAGED);
  const bytes =
    length + TRAILER_BYTES <= tail.length
      ? tail.subarray(tail.length - TRAILER_BYTES - length, tail.length - TRAILER_BYTES)
      : await read(file, start, size - TRAILER_BYTES);
  try {
    return toFooter(deserializeTCompactProtocol({ view: toView(bytes), offset: 0 }));
  } catch (error) {
    throw new FooterFault(DAMAGED, { cause: error });
  }
}

async function read(
  file: Awaited<ReturnType<typeof open>>,
  start: number,
  end: number,
): Promise<Buffer<ArrayBuffer>> {
  const buffer = Buffer.alloc(end - start);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
  return buffer.subarray(0, bytesRead);
}

function toView(bytes: Buffer<ArrayBuffer>): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A struct of Thrift, by the numbers of its fields. */
type Thrift = Record<string, unknown>;

function toFooter(meta: Thrift): ParquetFooter {
  const elements = listOf(meta.field_2);
  const columns: SchemaNode[] = [];
  const root = elements[0];
  if (root === undefined) throw new Error('The schema is empty.');
  let at = 1;
  const take = (depth: number): SchemaNode => {
    const element = elements[at];
    at += 1;
    if (element === undefined || depth > MOST_DEPTH) throw new Error('The schema is not whole.');
    const children: SchemaNode[] = [];
    const count = Number(element.field_5 ?? 0);
    while (children.length < count) children.push(take(depth + 1));
    return { ...toNode(element), children };
  };
  while (at < elements.length) columns.push(take(0));
  const arrow = listOf(meta.field_5).find(({ field_1 }) => toText(field_1) === 'ARROW:schema');
  return {
    rows: Number(meta.field_3),
    columns,
    rowGroups: listOf(meta.field_4).map((group) => ({
      rows: Number(group.field_3),
      chunks: listOf(group.field_1).map(toChunk),
    })),
    createdBy: meta.field_6 === undefined ? '' : toText(meta.field_6),
    ...(arrow?.field_2 === undefined ? {} : { arrowSchema: toText(arrow.field_2) }),
  };
}

/** More than anybody nests, and few enough for the stack. */
const MOST_DEPTH = 200;

function toNode(element: Thrift): Omit<SchemaNode, 'children'> {
  const { field_1: type, field_2: length, field_3: repetition, field_6: converted } = element;
  const logical = element.field_10 === undefined ? undefined : toLogical(element.field_10 as Thrift);
  const isGroup = Number(element.field_5 ?? 0) > 0;
  return {
    name: toText(element.field_4),
    repetition: FieldRepetitionTypes[Number(repetition ?? 0)] ?? 'OPTIONAL',
    ...(isGroup ? {} : { physical: ParquetTypes[Number(type)] ?? 'an unknown type' }),
    ...(length === undefined ? {} : { length: Number(length) }),
    ...(converted === undefined ? {} : { converted: ConvertedTypes[Number(converted)] ?? 'UNKNOWN' }),
    ...(logical === undefined ? {} : { logical }),
    ...(element.field_8 === undefined ? {} : { precision: Number(element.field_8) }),
    ...(element.field_7 === undefined ? {} : { scale: Number(element.field_7) }),
  };
}

/** Logical types by the numbers of their fields in Thrift. */
const LOGICAL_TYPES: Readonly<Record<string, string>> = {
  field_1: 'STRING',
  field_2: 'MAP',
  field_3: 'LIST',
  field_4: 'ENUM',
  field_5: 'DECIMAL',
  field_6: 'DATE',
  field_7: 'TIME',
  field_8: 'TIMESTAMP',
  field_10: 'INTEGER',
  field_11: 'NULL',
  field_12: 'JSON',
  field_13: 'BSON',
  field_14: 'UUID',
  field_15: 'FLOAT16',
  field_16: 'VARIANT',
  field_17: 'GEOMETRY',
  field_18: 'GEOGRAPHY',
};
const UNITS = { field_1: 'MILLIS', field_2: 'MICROS', field_3: 'NANOS' } as const;

function toLogical(value: Thrift): LogicalType {
  const [field = '', content] = Object.entries(value)[0] ?? [];
  const kind = LOGICAL_TYPES[field] ?? 'UNKNOWN';
  if (kind !== 'TIME' && kind !== 'TIMESTAMP') return { kind };
  const { field_1: isAdjustedToUtc, field_2: units } = content as Thrift;
  const unit = Object.entries(UNITS).find(([name]) => (units as Thrift)[name] !== undefined)?.[1];
  return { kind, isAdjustedToUtc: isAdjustedToUtc === true, ...(unit === undefined ? {} : { unit }) };
}

function toChunk(chunk: Thrift): ColumnChunk {
  const meta = (chunk.field_3 ?? {}) as Thrift;
  const dictionary = Number(meta.field_11 ?? 0);
  const data = Number(meta.field_9 ?? 0);
  return {
    path: (meta.field_3 === undefined ? [] : (meta.field_3 as unknown[])).map(toText),
    codec: CompressionCodecs[Number(meta.field_4)] ?? 'of an unknown kind',
    encodings: ((meta.field_2 ?? []) as unknown[]).map(
      (encoding) => Encodings[Number(encoding)] ?? 'of an unknown kind',
    ),
    values: Number(meta.field_5 ?? 0),
    start: dictionary > 0 ? Math.min(dictionary, data) : data,
    bytes: Number(meta.field_7 ?? 0),
    unpackedBytes: Number(meta.field_6 ?? 0),
    isEncrypted: chunk.field_8 !== undefined || chunk.field_9 !== undefined,
    isElsewhere: chunk.field_1 !== undefined,
  };
}

function listOf(value: unknown): Thrift[] {
  return (value ?? []) as Thrift[];
}

// A name that begins with U+FEFF keeps it.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function toText(bytes: unknown): string {
  return decoder.decode(bytes as Uint8Array);
}
