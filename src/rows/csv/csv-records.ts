import { createRecordBytes } from '../bytes/record-bytes.ts';
import { readSourceBytes, type SourceFile } from '../bytes/source-bytes.ts';
import { cutRecords, type TextRecords } from '../sources/text-records.ts';
import { type CanonicalWriter, canonicalHeader, createCanonicalWriter } from './csv-fields.ts';
import { CsvScanner } from './csv-scanner.ts';
import { csvLayoutOf, explain, scanOptionsOf } from './csv-structure.ts';

/** All of a CSV file whose structure was read before, as it is, cut at bounds between its rows: first its header, then its records. */
export async function* readCsvRecords(
  file: SourceFile,
  bounds: readonly number[] = [],
): AsyncGenerator<TextRecords> {
  const layout = csvLayoutOf(file);
  const scanner = new CsvScanner(scanOptionsOf(layout));
  try {
    yield* cutRecords(
      readSourceBytes(file),
      {
        rows: () => scanner.rows,
        scan: (chunk, from, untilRow) => {
          const to = from + scanner.scan(chunk.subarray(from), untilRow);
          return { to, wholeTo: to - (scanner.offset - scanner.recordStart) };
        },
        end: () => {
          scanner.end();
          return scanner.newline;
        },
      },
      bounds,
    );
  } catch (error) {
    throw await explain(file, error, layout);
  }
}

/**
 * The same in the canonical dialect, of which there is one reading: every field is quoted, every row has all columns,
 * each line ends in a newline alone, and what is no row is left out.
 */
export async function* readCanonicalCsv(
  file: SourceFile,
  bounds: readonly number[] = [],
): AsyncGenerator<TextRecords> {
  const layout = csvLayoutOf(file);
  const held = createRecordBytes();
  let writer: CanonicalWriter | undefined;
  let header: Buffer | undefined;
  const scanner = new CsvScanner({
    ...scanOptionsOf(layout),
    onRecord: (record, kind) => {
      if (writer === undefined) {
        const columns = layout.columns ?? record.fieldEnds.length;
        header = canonicalHeader(columns);
        writer = createCanonicalWriter(layout, columns);
      }
      if (kind === 'row') writer.write(record, held.bytes());
    },
  });
  const ahead = [...bounds, Number.POSITIVE_INFINITY];
  /** What a stretch of the file became. */
  function* written(firstRow: number): Generator<TextRecords> {
    if (header !== undefined) {
      yield { chunks: [header], firstRow: 0, rows: 0 };
      header = undefined;
    }
    const rows = scanner.rows - firstRow;
    if (writer !== undefined && rows > 0) yield { chunks: [writer.take()], firstRow, rows };
  }
  try {
    for await (const chunk of readSourceBytes(file)) {
      held.push(chunk, scanner.recordStart);
      for (let at = 0; at < chunk.length; ) {
        const firstRow = scanner.rows;
        while ((ahead[0] ?? 0) <= firstRow) ahead.shift();
        at += scanner.scan(chunk.subarray(at), ahead[0]);
        yield* written(firstRow);
      }
    }
    const firstRow = scanner.rows;
    scanner.end();
    yield* written(firstRow);
  } catch (error) {
    throw await explain(file, error, layout);
  }
}
