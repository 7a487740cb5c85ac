import {
  type PackingLimits,
  packGroups,
  packRows,
  pilotRows,
  type RowRange,
} from '../../core/plan/packing.ts';
import type { Dataset, PlannedPart, Slice } from '../../core/plan/part.ts';
import { readsOf } from '../../core/plan/slice-reads.ts';

/** How many rows are to be cut, and what the cuts must respect. */
export interface SliceRequest {
  /** The first N rows of the dataset. */
  rows: number;
  bytesPerRow: number;
  limits: PackingLimits;
  /** Rows that one Prepare takes at most, unless a single part or text file has more. */
  rowsPerSlice: number;
  /** True: the first part goes alone, and is small where that helps. */
  pilot: boolean;
  /** Rows of a pilot that the user wants, however many others there are. */
  pilotRows?: number | undefined;
}

/**
 * Bytes of the dataset that one Prepare takes at most, unless a single text file has more. In Lambda's 10 GB of `/tmp`, a
 * Prepare holds them, a copy of Parquet of very large pages, and the files of up to three parts.
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const BYTES_PER_SLICE = 2 * 1024 ** 3;
/** What gzip and zstd make of text, roughly. */
const TEXT_COMPRESSION = 5;

/** Rows of a Parquet dataset that are as large as a slice: no part may have more. */
export function rowsPerSource({ format, files, rows }: Dataset): number {
  if (format !== 'parquet') return Number.POSITIVE_INFINITY;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return Math.max(1, Math.floor((BYTES_PER_SLICE * rows) / Math.max(1, bytes)));
}

/** Rows of any dataset that are about as large as a slice. */
export function rowsOfSlice({ files, rows }: Dataset): number {
  const bytes = files.reduce((sum, file) => sum + unpackedBytes(file), 0);
  return Math.max(1, Math.floor((BYTES_PER_SLICE * rows) / Math.max(1, bytes)));
}

/** Bytes of a file, or of what it is the compression of, roughly. */
function unpackedBytes({ uri, bytes }: Pick<Dataset['files'][number], 'uri' | 'bytes'>): number {
  return /\.(gz|gzip|zst|zstd)$/i.test(uri) ? bytes * TEXT_COMPRESSION : bytes;
}

/**
 * Cuts a dataset into parts, and these into slices, each for one Prepare. Parquet can be read from the middle, so
 * parts are packed first and slices are runs of them; a text file is read from its start, so slices are runs of whole
 * files, and no part lies in two of them: each file is read once.
 */
export function cutSlices(dataset: Dataset, request: SliceRequest): Slice[] {
  const plain = groupRows(dataset, request, 0);
  const helpful = request.pilot ? pilotRows(plain.flat(), request.limits) : 0;
  const pilot = request.pilotRows ?? helpful;
  const groups = pilot === 0 || pilot >= request.rows ? plain : groupRows(dataset, request, pilot);
  let part = 0;
  return groups.map((ranges, slice) => {
    const parts = ranges.map(({ firstRow, rows }): PlannedPart => {
      part += 1;
      return { part_id: `p${String(part).padStart(5, '0')}`, variant: 0, first_row: firstRow, rows };
    });
    return { slice, parts, reads: readsOf(dataset, parts) };
  });
}

/** The parts of each slice; the first part has `pilot` rows where that is not 0. */
function groupRows(dataset: Dataset, request: SliceRequest, pilot: number): RowRange[][] {
  const { limits } = request;
  const ofOthers =
    pilot === 0 || limits.maxParts === undefined ? limits : { ...limits, maxParts: limits.maxParts - 1 };
  const others = { ...request, limits: ofOthers };
  const groups =
    dataset.format === 'parquet' ? groupParts(dataset, others, pilot) : groupFiles(dataset, others, pilot);
  if (pilot > 0) groups[0]?.unshift({ firstRow: 0, rows: pilot });
  return groups;
}

function groupParts(
  dataset: Dataset,
  { rows, bytesPerRow, limits, rowsPerSlice }: SliceRequest,
  skipped: number,
): RowRange[][] {
  const most = Math.min(rowsPerSlice, rowsPerSource(dataset));
  const groups: RowRange[][] = [];
  let rowsOfGroup = skipped;
  for (const { firstRow, rows: rowsOfPart } of packRows(rows - skipped, bytesPerRow, limits)) {
    const part = { firstRow: firstRow + skipped, rows: rowsOfPart };
    const group = groups.at(-1);
    if (group === undefined || rowsOfGroup + part.rows > most) {
      groups.push([part]);
      rowsOfGroup = part.rows;
    } else {
      group.push(part);
      rowsOfGroup += part.rows;
    }
  }
  return groups;
}

function groupFiles(
  { files }: Dataset,
  { rows, bytesPerRow, limits, rowsPerSlice }: SliceRequest,
  skipped: number,
): RowRange[][] {
  const groups: (RowRange & { bytes: number })[] = [];
  let firstRow = 0;
  for (const file of files) {
    const taken = Math.min(file.rows, rows - firstRow);
    if (taken === 0) continue;
    const bytes = unpackedBytes(file);
    const group = groups.at(-1);
    const isFull =
      group !== undefined &&
      group.rows >= limits.minRecords &&
      (group.rows + taken > rowsPerSlice || group.bytes + bytes > BYTES_PER_SLICE);
    if (group === undefined || isFull) groups.push({ firstRow, rows: taken, bytes });
    else {
      group.rows += taken;
      group.bytes += bytes;
    }
    firstRow += taken;
  }
  joinSmallLast(groups, limits);
  const pack = ([first, ...others]: readonly RowRange[]) =>
    first === undefined ? [] : packGroups([withoutFirst(first, skipped), ...others], bytesPerRow, limits);
  const packed = pack(groups);
  // Where that many slices would take more jobs than the user wants, one slice takes all files.
  const most = limits.maxParts ?? Number.POSITIVE_INFINITY;
  return packed.flat().length <= most ? packed : pack([{ firstRow: 0, rows }]);
}

function withoutFirst({ firstRow, rows }: RowRange, skipped: number): RowRange {
  return { firstRow: firstRow + skipped, rows: rows - skipped };
}

/** The rows left over at the end would be too few for a job of their own. */
function joinSmallLast(groups: RowRange[], { minRecords }: PackingLimits): void {
  const [before, last] = groups.slice(-2);
  if (before === undefined || last === undefined || last.rows >= minRecords) return;
  before.rows += last.rows;
  groups.pop();
}
