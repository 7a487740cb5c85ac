import { rm } from 'node:fs/promises';
import { givenName } from '../../core/plan/names-apart.ts';
import { sqlName, sqlText } from '../duckdb/duckdb.ts';
import { copyJsonAsText, readJsonlRecords, readSpelledRecords } from '../json/jsonl-source.ts';
import type { FileRead, SourceRelation, TogetherRequest } from './source-relation.ts';
import { boundsOf, cutText } from './text-pieces.ts';
import { listSql, nameOf, numberSql, recordsInTurn, relationOf, windowsOf } from './text-relation.ts';

/** DuckDB's buffers for JSON have twice the bytes of the longest line that it may read; fewer are slow. */
const SHORT_LINE_BYTES = 4 * 1024 ** 2;

/** Rows of JSONL files; those of several small ones in one relation. */
export async function* openJsonlRelations(request: TogetherRequest): AsyncGenerator<SourceRelation> {
  if (request.reads[0]?.isPlain === true) yield* openPlainJsonl(request);
  else yield* openSpelledJson(request);
}

async function* openPlainJsonl({
  columns,
  reads,
  scratchPrefix,
}: TogetherRequest): AsyncGenerator<SourceRelation> {
  const name = nameOf(reads);
  const records = recordsInTurn(reads, {
    open: ({ file, windows }) => readJsonlRecords(file, boundsOf(windows)),
    hasHeader: false,
  });
  for await (const piece of cutText(records, {
    windows: windowsOf(reads),
    hasHeader: false,
    scratchPrefix,
  })) {
    const spelled = piece.paths.map((path) => ({ path, to: `${path}.spelled` }));
    const rowNumber = numberSql(piece.firstRow);
    yield {
      ...relationOf(piece, name, plainJsonlSql(piece.paths, columns)),
      spell: async () => {
        let longestBytes = 0;
        for (const { path, to } of spelled) {
          const uri = reads[0]?.file.uri ?? 's3://-/-';
          const copied = await copyJsonAsText({ uri, path, isUnpacked: true }, { columns, to });
          longestBytes = Math.max(longestBytes, copied.longestBytes);
          await rm(path);
        }
        const paths = spelled.map(({ to }) => to);
        return { from: spelledSql(paths, columns, longestBytes), rowNumber };
      },
      [Symbol.asyncDispose]: async () => {
        await piece[Symbol.asyncDispose]();
        await Promise.all(spelled.map(({ to }) => rm(to, { force: true })));
      },
    };
  }
}

async function* openSpelledJson({
  columns,
  reads,
  scratchPrefix,
}: TogetherRequest): AsyncGenerator<SourceRelation> {
  let longestBytes = 0;
  const open = ({ file, windows }: FileRead) =>
    readSpelledRecords(file, {
      columns: columns.map(givenName),
      bounds: boundsOf(windows),
      onLine: (bytes) => {
        longestBytes = Math.max(longestBytes, bytes);
      },
    });
  const records = recordsInTurn(reads, { open, hasHeader: false });
  for await (const piece of cutText(records, {
    windows: windowsOf(reads),
    hasHeader: false,
    scratchPrefix,
  })) {
    yield relationOf(piece, nameOf(reads), spelledSql(piece.paths, columns, longestBytes));
  }
}

/** SQL for JSONL that is plain. DuckDB refuses it for a key that is there twice. */
function plainJsonlSql(paths: readonly string[], columns: readonly string[]): string {
  const types = columns.map((name) => `${sqlText(name)}: 'VARCHAR'`).join(', ');
  return `read_json(${listSql(paths)}, format = 'newline_delimited', records = true, hive_partitioning = false, compression = 'uncompressed', columns = {${types}}, maximum_object_size = ${SHORT_LINE_BYTES})`;
}

/** SQL for what `copyJsonlAsText` wrote. */
function spelledSql(paths: readonly string[], columns: readonly string[], longestBytes: number): string {
  const types = columns.map((_, index) => `c${index}: 'VARCHAR'`).join(', ');
  const named = columns.map((name, index) => `c${index} AS ${sqlName(name)}`).join(', ');
  return `(SELECT ${named} FROM read_json(${listSql(paths)}, format = 'newline_delimited', records = true, hive_partitioning = false, compression = 'uncompressed', columns = {${types}}, maximum_object_size = ${Math.max(SHORT_LINE_BYTES, longestBytes + 1)}))`;
}
