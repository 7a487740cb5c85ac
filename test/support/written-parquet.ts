import { columnFromArray, type DataType, int32, tableFromColumns, tableToIPC } from '@uwdata/flechette';
import type { SchemaElement } from 'hyparquet';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { everyColumn, withFooter } from './lying-parquet.ts';

/** A buffer's bytes. */
export const bytes = (buffer: ArrayBuffer) => new Uint8Array(buffer);
/** A file of one column `v`, whose leaf of the schema is this. */
export const write = (data: unknown[], leaf: Partial<SchemaElement>, more: Partial<ColumnSource> = {}) =>
  bytes(
    parquetWriteBuffer({
      columnData: [{ name: 'v', data, ...more }],
      schema: [
        { name: 'schema', num_children: 1 },
        { name: 'v', repetition_type: 'OPTIONAL', ...leaf },
      ],
    }),
  );
/** A file of one column `v`, of the type that its values have. */
export const guess = (data: unknown[], more: Partial<ColumnSource> = {}) =>
  bytes(parquetWriteBuffer({ columnData: [{ name: 'v', data, ...more }] }));
/** A leaf of timestamps. */
export const stamp = (
  unit: 'NANOS' | 'MICROS' | 'MILLIS',
  isAdjustedToUTC: boolean,
): Partial<SchemaElement> => ({
  type: 'INT64',
  logical_type: { type: 'TIMESTAMP', unit, isAdjustedToUTC },
});
/** A timestamp as INT96 has it. */
export const int96 = (nanoseconds: bigint): Uint8Array => {
  const buffer = Buffer.alloc(12);
  const day = 86_400_000_000_000n;
  buffer.writeBigInt64LE(nanoseconds % day);
  buffer.writeInt32LE(Number(nanoseconds / day) + 2_440_588, 8);
  return new Uint8Array(buffer);
};
/** A file of INT96. hyparquet-writer has none: the same bytes, under another name. */
export const asInt96 = (values: Uint8Array[]) =>
  withFooter(write(values, { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 12 }), (footer) => {
    for (const element of footer.schema) if (element.name === 'v') element.type = 'INT96';
    everyColumn(footer, (column) => {
      column.type = 'INT96';
      delete column.statistics;
    });
  });

/** The same file, with Arrow's note of what its column `v` was; `note` is another note. */
export function withArrow(file: Uint8Array, type: DataType, note?: string): Buffer {
  const table = tableFromColumns([['v', columnFromArray([], int32())]]);
  const fields = table.schema.fields.map((field) => ({ ...field, type }));
  const typed = Object.create(table, {
    schema: { value: { ...table.schema, fields } },
    children: { value: [] },
  });
  const stream = Buffer.from(tableToIPC(typed, { format: 'stream' }) ?? []);
  // A message begins with its length: the first one is the schema.
  const value = note ?? stream.subarray(0, 8 + stream.readInt32LE(4)).toString('base64');
  return withFooter(file, (footer) => {
    footer.key_value_metadata = [{ key: 'ARROW:schema', value }];
  });
}

/** A file of one column `v`, which has one list of two integers. */
export const listOfTwo = bytes(
  parquetWriteBuffer({
    columnData: [{ name: 'v', data: [[1, 2]] }],
    schema: [
      { name: 'schema', num_children: 1 },
      { name: 'v', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', repetition_type: 'OPTIONAL', type: 'INT32' },
    ],
  }),
);
