/** One owed record, and its bytes in the input file: the first, and the one after its newline. */
export interface PlacedRecord {
  recordId: string;
  start: number;
  end: number;
}

/** Records that one request brings, in the order of the file. */
export interface RecordRange {
  start: number;
  /** The byte after the last. */
  end: number;
  records: PlacedRecord[];
}

/** Bytes between two records that are read along, lest they cost a request more. */
const MAX_GAP_BYTES = 256 * 1024;
/** Bytes of one request, which is held whole; a longer record is a request of its own. */
const REQUEST_BYTES = 8 * 1024 ** 2;

/** The requests that bring these records, which are in the order of the file. */
export function rangesOf(records: readonly PlacedRecord[]): RecordRange[] {
  const ranges: RecordRange[] = [];
  for (const record of records) {
    const last = ranges.at(-1);
    if (
      last === undefined ||
      record.start - last.end > MAX_GAP_BYTES ||
      record.end - last.start > REQUEST_BYTES
    ) {
      ranges.push({ start: record.start, end: record.end, records: [record] });
    } else {
      last.end = record.end;
      last.records.push(record);
    }
  }
  return ranges;
}
