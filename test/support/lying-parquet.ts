import { type FileMetaData, parquetMetadata } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { writeMetadata as writeUntyped } from 'hyparquet-writer/src/metadata.js';

const writeMetadata: (writer: ByteWriter, metadata: FileMetaData) => void = writeUntyped;
const MAGIC = 'PAR1';

/** A Parquet file with the same pages and another footer. */
export function withFooter(file: ArrayBuffer | Uint8Array, edit: (footer: FileMetaData) => void): Buffer {
  const bytes = Buffer.from(new Uint8Array(file));
  const footer = parquetMetadata(new Uint8Array(bytes).buffer);
  edit(footer);
  const writer = new ByteWriter();
  writer.appendBytes(bytes.subarray(0, bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8)));
  writeMetadata(writer, footer);
  writer.appendBytes(Buffer.from(MAGIC));
  return Buffer.from(writer.getBuffer());
}

/** Edits the metadata of every column of every row group. */
export function everyColumn(
  { row_groups }: FileMetaData,
  edit: (column: NonNullable<FileMetaData['row_groups'][number]['columns'][number]['meta_data']>) => void,
): void {
  for (const { columns } of row_groups) {
    for (const { meta_data } of columns) if (meta_data !== undefined) edit(meta_data);
  }
}
