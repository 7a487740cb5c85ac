import { InvalidDatasetError } from '../../core/errors.ts';
import { namesAsRead } from '../../core/plan/names-apart.ts';
import type { Column } from '../../core/plan/part.ts';
import { privately } from '../../core/text/private-text.ts';
import type { SourceFile } from '../bytes/source-bytes.ts';
import type { DuckDb } from '../duckdb/duckdb.ts';
import { readParquetColumns } from '../duckdb/parquet.ts';
import { ONLY_NULLS } from '../sources/widened-type.ts';
import { readArrowNotes } from './arrow-types.ts';
import { checkFooter } from './footer-checks.ts';
import { findLostNanoseconds } from './lost-nanoseconds.ts';
import { FooterFault, type ParquetFooter, readParquetFooter } from './parquet-footer.ts';
import { judgeColumn, type TypeVerdict } from './parquet-types.ts';

/** What a Parquet file's footer says of its content. */
export interface ParquetContent {
  /** A type may be ONLY_NULLS. */
  columns: Column[];
  rows: number;
  /** Columns that come back as another type, with the same values. */
  becomes: Column[];
}

/** Footers that are read at once. */
const CONCURRENT_FOOTERS = 16;

/**
 * Reads the footers of any number of files. Throws InvalidDatasetError with the name of one that has none, that contradicts
 * itself, or of which a value would not come back as it was.
 */
export async function readParquetFooters(
  db: DuckDb,
  files: readonly SourceFile[],
): Promise<ParquetContent[]> {
  const contents: ParquetContent[] = [];
  // Files of one dataset mostly have one schema, which is looked at once.
  const known = new Map<string, Schema>();
  for (let at = 0; at < files.length; at += CONCURRENT_FOOTERS) {
    // Some at a time: those of a hundred thousand files would take a gigabyte.
    const some = files.slice(at, at + CONCURRENT_FOOTERS);
    await using held = new AsyncDisposableStack();
    const reading = some.map(async (file) => {
      held.use(await file.hold?.());
      return readFooter(file);
    });
    await Promise.allSettled(reading);
    const footers = await Promise.all(reading);
    for (const [index, file] of some.entries()) {
      const footer = footers[index];
      if (footer === undefined) continue;
      const key = JSON.stringify([footer.columns, footer.arrowSchema]);
      const schema = known.get(key) ?? schemaOf(await judgeColumns(db, file, footer));
      known.set(key, schema);
      for (const { place, name } of schema.inNanoseconds) {
        await expectMicroseconds(file, { place, name, rows: footer.rows });
      }
      contents.push({ columns: schema.columns, rows: footer.rows, becomes: schema.becomes });
    }
  }
  return contents;
}

/** What all files of one schema have in common. */
interface Schema extends Pick<ParquetContent, 'columns' | 'becomes'> {
  inNanoseconds: { place: number; name: string }[];
}

function schemaOf(columns: readonly JudgedColumn[]): Schema {
  return {
    columns: columns.map(({ name, type, verdict }) => ({ name, type: verdict.isNulls ? ONLY_NULLS : type })),
    becomes: columns.flatMap(({ name, verdict: { becomes } }) =>
      becomes === undefined ? [] : [{ name, type: becomes }],
    ),
    inNanoseconds: columns.flatMap(({ name, verdict }, place) => (verdict.isNanos ? [{ place, name }] : [])),
  };
}

async function readFooter({ uri, path }: SourceFile): Promise<ParquetFooter> {
  try {
    const footer = await readParquetFooter(path);
    checkFooter(uri, footer);
    return footer;
  } catch (error) {
    if (!(error instanceof FooterFault)) throw error;
    throw new InvalidDatasetError(`${uri} ${error.message}`, { cause: error });
  }
}

type JudgedColumn = Column & { verdict: TypeVerdict };

async function judgeColumns(
  db: DuckDb,
  { uri, path }: SourceFile,
  footer: ParquetFooter,
): Promise<JudgedColumn[]> {
  const given = footer.columns.map(({ name }) => name);
  const twice = given.find((name, place) => given.indexOf(name) !== place);
  if (twice !== undefined) {
    throw new InvalidDatasetError(
      `${uri} has two columns named ${privately(JSON.stringify(twice))}. Rename one.`,
    );
  }
  const notes = footer.arrowSchema === undefined ? new Map() : await readArrowNotes(footer.arrowSchema);
  const verdicts = footer.columns.map((column) => {
    const becomes = notes.get(column.name);
    const verdict = { ...(becomes === undefined ? {} : { becomes }), ...judgeColumn(column) };
    if (verdict.refused !== undefined) {
      throw new InvalidDatasetError(
        `${uri}: the column ${privately(JSON.stringify(column.name))} ${verdict.refused}`,
      );
    }
    return verdict;
  });
  const columns = await readParquetColumns(db, path).catch((error: unknown) => {
    throw new InvalidDatasetError(
      `${uri} has a schema that Quarry cannot read. Have it written again, by another version of what made it.`,
      { cause: error },
    );
  });
  const expected = namesAsRead(given);
  return columns.map(({ name: read, type }, place) => {
    const name = given[place] ?? read;
    if (expected[place] !== read || columns.length !== given.length) {
      throw new InvalidDatasetError(
        `${uri} has a column ${privately(JSON.stringify(name))} whose name cannot be read back. Rename it.`,
      );
    }
    return { name, type, verdict: verdicts[place] ?? {} };
  });
}

/** Throws InvalidDatasetError where a timestamp of the column has more than microseconds, which is all that DuckDB reads. */
async function expectMicroseconds(
  { uri, path, fetchRows }: SourceFile,
  { place, name, rows }: { place: number; name: string; rows: number },
): Promise<void> {
  await fetchRows?.([name], { firstRow: 0, rows });
  const column = `${uri}: the column ${privately(JSON.stringify(name))} is a TIMESTAMP in nanoseconds`;
  const advice = 'Cast it to TIMESTAMP in microseconds, or to text.';
  const lost = await findLostNanoseconds({ path, place }).catch((error: unknown) => {
    throw new InvalidDatasetError(
      `${column}, and whether it has only whole microseconds, which could be kept, cannot be told. ${advice}`,
      { cause: error },
    );
  });
  if (lost === undefined) return;
  throw new InvalidDatasetError(
    `${column}, and only microseconds can be kept: row ${lost.row} has ${privately(String(lost.nanoseconds))} since 1970. ${advice}`,
  );
}
