import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit, { type LimitFunction } from 'p-limit';
import { givenName } from '../../core/plan/names-apart.ts';
import { balancedRanges } from '../../core/plan/packing.ts';
import type { Dataset, PlannedPart, SliceRead } from '../../core/plan/part.ts';
import type { RowWindow } from '../bytes/source-bytes.ts';
import { createRowBringer } from '../parquet/page-counts.ts';
import { expectRows } from '../sources/expect-rows.ts';
import { canNumberFiles, readTogether } from '../sources/small-files.ts';
import {
  type FileRead,
  openRelations,
  parquetRelation,
  type SourceRelation,
} from '../sources/source-relation.ts';
import { type PrepareMemory, textMemoryFor } from './prepare-memory.ts';
import { type StagedRange, type StageRequest, stageSlice } from './staged-slice.ts';

/** The rows of a part, in relations one after the other, whose rows are numbered as the dataset's. */
export interface PartRows extends AsyncDisposable {
  relations: SourceRelation[];
}

/** Gives the rows of one part after the other. */
export interface PartSource extends AsyncDisposable {
  /** To be called for each part in turn; the rows of several may be held at once. */
  take(part: PlannedPart): Promise<PartRows>;
  /** Reads no more parts at once than there is memory for. */
  limit: LimitFunction;
  memory: PrepareMemory;
}

/** Makes the rows of parts of a slice readable: Parquet in its place, or in copies; text in pieces, as they are needed. */
export async function openPartSource(
  request: StageRequest,
  parts: readonly PlannedPart[],
): Promise<PartSource> {
  return request.dataset.format === 'parquet' ? openParquetParts(request) : openTextParts(request, parts);
}

/** Files whose rows are fetched at once. */
const CONCURRENT_FETCHES = 8;

async function openParquetParts(request: StageRequest): Promise<PartSource> {
  const { ranges, ...staged } = await stageSlice(request);
  const columns = request.dataset.columns.map(({ name }) => name);
  const given = columns.map(givenName);
  const bringRows = createRowBringer();
  return {
    ...staged,
    take: async (part) => {
      const within = rangesWithin(ranges, part);
      await pLimit(CONCURRENT_FETCHES).map(within, ({ file, name, firstInFile, rows }) =>
        bringRows({ ...file, name }, given, { firstRow: firstInFile, rows }),
      );
      const short = within.flatMap((range) => shortRangesOf(range, staged.memory));
      const runs = canNumberFiles(columns)
        ? readTogether(short, companyOf, columns.length)
        : short.map((range) => [range]);
      return {
        relations: [...runs].map((run) => parquetRelation(run.map(numbered), columns)),
        [Symbol.asyncDispose]: async () => {},
      };
    },
  };
}

/** The rows of a part, as they were written, for parts of it; the file is removed in the end. */
export function reopenPart(
  path: string,
  { part_id, first_row, rows }: PlannedPart,
  memory: PrepareMemory,
): PartSource {
  const whole: StagedRange = {
    name: `part ${part_id}`,
    file: { path },
    firstInFile: 0,
    rows,
    firstRow: first_row,
  };
  return {
    take: async (part) => ({
      relations: rangesWithin([whole], part).map((range) => parquetRelation([numbered(range)], [])),
      [Symbol.asyncDispose]: async () => {},
    }),
    limit: pLimit(memory.partsAtOnce),
    memory,
    [Symbol.asyncDispose]: () => rm(path, { force: true }),
  };
}

/** The range in as many pieces as its rows need that are read at once. */
function shortRangesOf(range: StagedRange, { rowsAtOnce = range.rows }: PrepareMemory): StagedRange[] {
  return balancedRanges(range, Math.ceil(range.rows / rowsAtOnce)).map(({ firstRow, rows }) => ({
    ...range,
    firstInFile: range.firstInFile + firstRow - range.firstRow,
    firstRow,
    rows,
    wholeBytes: rows === range.rows ? range.wholeBytes : undefined,
  }));
}

/** Small files are read together, but for those of which a column is widened, nobody knows from what, or is called otherwise. */
function companyOf({ wholeBytes, file: { drift = [], names } }: StagedRange) {
  const isAlone = wholeBytes === undefined || drift.length > 0 || names !== undefined;
  return { key: isAlone ? undefined : '', bytes: wholeBytes ?? 0 };
}

function numbered({ name, file: { path, drift, names }, firstInFile, rows, firstRow }: StagedRange) {
  return { name, path, drift, names, firstRow: firstInFile, rows, number: firstRow };
}

/** The pieces of the ranges that lie within a part. */
function rangesWithin(ranges: readonly StagedRange[], part: PlannedPart): StagedRange[] {
  const within = ranges.flatMap((range) =>
    overlapOf(range, part).map(({ firstRow, rows }) => ({
      ...range,
      firstInFile: range.firstInFile + firstRow - range.firstRow,
      firstRow,
      rows,
      wholeBytes: rows === range.rows ? range.wholeBytes : undefined,
    })),
  );
  expectRows(sumRows(within), part.rows, `the slice's files for part ${part.part_id}`);
  return within;
}

function openTextParts(request: StageRequest, parts: readonly PlannedPart[]): PartSource {
  const reading = readParts(request, parts);
  const memory = textMemoryFor(request.dataset.columns.length);
  return {
    take: async (part) => {
      const { value } = await reading.next();
      if (value?.part.part_id !== part.part_id)
        throw new Error(`It is not the turn of part ${part.part_id}.`);
      return value;
    },
    limit: pLimit(memory.partsAtOnce),
    memory,
    [Symbol.asyncDispose]: async () => {
      await reading.return(undefined);
    },
  };
}

/** Reads each file once, from its start, and gives the parts as soon as all their rows are there. */
async function* readParts(
  request: StageRequest,
  parts: readonly PlannedPart[],
): AsyncGenerator<PartRows & { part: PlannedPart }> {
  const { dataset, scratchDirectory, slice } = request;
  const [...ahead] = parts;
  let relations: SourceRelation[] = [];
  let rowsOfPart = 0;
  const opened = openRelations({
    format: dataset.format,
    columns: dataset.columns.map(({ name }) => name),
    reads: readsOfParts(request, slice.reads, parts),
    scratchPrefix: join(scratchDirectory, 'text-'),
  });
  try {
    for await (const relation of opened) {
      relations.push(relation);
      rowsOfPart += relation.rows;
      const [part] = ahead;
      if (part === undefined || rowsOfPart < part.rows) continue;
      const whole = relations;
      ahead.shift();
      [relations, rowsOfPart] = [[], 0];
      yield { part, relations: whole, [Symbol.asyncDispose]: () => disposeAll(whole) };
    }
  } finally {
    await disposeAll(relations);
  }
}

/** What parts want of each file, numbered as the dataset's rows. */
function readsOfParts(
  { dataset, fileOf }: StageRequest,
  reads: readonly SliceRead[],
  parts: readonly PlannedPart[],
): FileRead[] {
  const files = new Map<string, Dataset['files'][number]>(dataset.files.map((file) => [file.uri, file]));
  let passed = 0;
  return reads.flatMap(({ uri, first_row_in_file: firstInFile, first_row: firstRow, rows }): FileRead[] => {
    const isPassed = (part: PlannedPart | undefined) =>
      part !== undefined && part.first_row + part.rows <= firstRow;
    while (isPassed(parts[passed])) passed += 1;
    const wanted: RowWindow[] = [];
    for (let at = passed; at < parts.length && (parts[at]?.first_row ?? 0) < firstRow + rows; at++) {
      const part = parts[at];
      if (part !== undefined) wanted.push(...overlapOf({ firstRow, rows }, part));
    }
    if (wanted.length === 0) return [];
    const { plain = false, layout, drift, bytes = 0, rows: all } = files.get(uri) ?? {};
    const before = firstRow - firstInFile;
    return [
      {
        file: {
          ...fileOf(uri),
          ...(layout === undefined ? {} : { layout }),
          ...(drift === undefined ? {} : { drift }),
        },
        windows: wanted.map((window) => ({ ...window, firstRow: window.firstRow - before })),
        isPlain: plain,
        firstRow: before,
        wholeBytes: wanted.length === 1 && wanted[0]?.rows === all ? bytes : undefined,
        purpose: parts[passed]?.part_id ?? '',
      },
    ];
  });
}

async function disposeAll(relations: readonly SourceRelation[]): Promise<void> {
  await Promise.all(relations.map((relation) => relation[Symbol.asyncDispose]()));
}

/** The rows of a range of the dataset that a part has; empty where it has none. */
function overlapOf({ firstRow, rows }: RowWindow, part: PlannedPart): RowWindow[] {
  const start = Math.max(firstRow, part.first_row);
  const end = Math.min(firstRow + rows, part.first_row + part.rows);
  return start < end ? [{ firstRow: start, rows: end - start }] : [];
}

function sumRows(windows: readonly RowWindow[]): number {
  return windows.reduce((sum, { rows }) => sum + rows, 0);
}
