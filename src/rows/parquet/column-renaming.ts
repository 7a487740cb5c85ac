import { open } from 'node:fs/promises';
import { givenName, isApart, namesAsRead } from '../../core/plan/names-apart.ts';
import type { Column } from '../../core/plan/part.ts';
import { writeWhole } from '../../store/file-bytes.ts';
import type { DuckDb } from '../duckdb/duckdb.ts';
import { type ReadName, readParquetColumns } from '../duckdb/parquet.ts';
import { readParquetFooter, type SchemaNode } from './parquet-footer.ts';
import { textsIn, thriftText } from './thrift-texts.ts';

/** A column as DuckDB reads it, and the name that it has in its file. */
export interface GivenColumn extends Column {
  given: string;
}

/** A result file's columns: of those whose names differ by capitals alone, DuckDB calls some otherwise. */
export async function readGivenColumns(db: DuckDb, path: string): Promise<GivenColumn[]> {
  const columns = await readParquetColumns(db, path);
  // It gives them a number. Without any, no footer need be read.
  if (!columns.some(({ name }) => /_\d+$/.test(name))) {
    return columns.map((column) => ({ ...column, given: column.name }));
  }
  const { columns: nodes } = await readParquetFooter(path);
  return columns.map((column, place) => ({ ...column, given: nodes[place]?.name ?? column.name }));
}

/** How to read a dataset's file for columns that are kept apart; undefined where DuckDB's own names are those that are wanted. */
export async function namesToRead(path: string, wanted: readonly string[]): Promise<ReadName[] | undefined> {
  if (!wanted.some(isApart)) return undefined;
  const names = (await readParquetFooter(path)).columns.map(({ name }) => name);
  const wantedOf = new Map(wanted.map((name) => [givenName(name), name]));
  return namesAsRead(names).flatMap((read, place): ReadName[] => {
    const name = wantedOf.get(names[place] ?? '');
    return name === undefined ? [] : [{ read, name }];
  });
}

/** Gives a file that we wrote of columns that were kept apart the names that these have in the dataset. */
export async function giveNamesBack(path: string, written: readonly string[]): Promise<void> {
  if (!written.some(isApart)) return;
  const { columns } = await readParquetFooter(path);
  await renameColumns(
    path,
    columns.map(({ name }) => givenName(name)),
  );
}

/** Gives the columns of a Parquet file that we wrote these names, which may differ by capitals alone: its end is written anew. */
export async function renameColumns(path: string, names: readonly string[]): Promise<void> {
  const { columns } = await readParquetFooter(path);
  if (columns.every(({ name }, place) => name === names[place])) return;
  await using file = await open(path, 'r+');
  const { size } = await file.stat();
  const trailer = Buffer.alloc(TRAILER_BYTES);
  await file.read(trailer, 0, TRAILER_BYTES, size - TRAILER_BYTES);
  const length = trailer.readUInt32LE(0);
  const footer = Buffer.alloc(length);
  const start = size - TRAILER_BYTES - length;
  await file.read(footer, 0, length, start);
  const renamed = withNames(footer, columns, names);
  trailer.writeUInt32LE(renamed.length, 0);
  await file.truncate(start);
  await writeWhole(file, Buffer.concat([renamed, trailer]), start);
}

/** The footer's length, and the magic. https://parquet.apache.org/docs/file-format/ */
const TRAILER_BYTES = 8;

function withNames(footer: Buffer, columns: readonly SchemaNode[], names: readonly string[]): Buffer {
  // In the list of all nodes, whose first one is the root.
  const nodes = new Map<string, string>();
  const leaves: string[] = [];
  let at = 1;
  for (const [place, column] of columns.entries()) {
    const name = names[place] ?? column.name;
    nodes.set(String(at), name);
    at += countNodes(column);
    for (let leaf = countLeaves(column); leaf > 0; leaf -= 1) leaves.push(name);
  }
  const pieces: Buffer[] = [];
  let copied = 0;
  for (const { path, start, end } of textsIn(footer)) {
    const node = /^2\/(\d+)\/4$/.exec(path)?.[1];
    const leaf = /^4\/\d+\/1\/(\d+)\/3\/3\/0$/.exec(path)?.[1];
    const name = node === undefined ? leaves[Number(leaf)] : nodes.get(node);
    if (name === undefined) continue;
    pieces.push(footer.subarray(copied, start), thriftText(name));
    copied = end;
  }
  return Buffer.concat([...pieces, footer.subarray(copied)]);
}

function countNodes({ children }: SchemaNode): number {
  return children.reduce((sum, child) => sum + countNodes(child), 1);
}

function countLeaves({ children }: SchemaNode): number {
  return children.length === 0 ? 1 : children.reduce((sum, child) => sum + countLeaves(child), 0);
}
