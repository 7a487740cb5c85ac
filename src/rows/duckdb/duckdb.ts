import type { DuckDBConnection } from '@duckdb/node-api';
import { type DuckDbOptions, leaseDuckDb } from './duckdb-pool.ts';

/** One value of a result, as `JSON.parse` would give it; 64-bit integers as text. */
export type SqlValue = unknown;

/** An in-memory database. Statements that are started together run together. */
export interface DuckDb extends AsyncDisposable {
  /** Runs a statement; rejects where it fails. */
  run(sql: string): Promise<void>;
  /** Runs a COPY; the number of rows it wrote. */
  copy(sql: string): Promise<number>;
  /** A small result, whole: DuckDB's streams end normally where the query fails, so none is used. */
  rows(sql: string): Promise<Record<string, SqlValue>[]>;
  /** The single row of a result. */
  row(sql: string): Promise<Record<string, SqlValue>>;
}

/** Opens a database that loads no extensions and never reaches the network. Disposed of, it is one of nobody's. */
export async function openDuckDb(options: DuckDbOptions): Promise<DuckDb> {
  const lease = await leaseDuckDb(options);
  const running = new Set<Promise<unknown>>();
  const connected = async <R>(work: (connection: DuckDBConnection) => Promise<R>): Promise<R> => {
    const connection = await lease.instance.connect();
    try {
      return await work(connection);
    } catch (error) {
      lease.spoil();
      throw error;
    } finally {
      connection.closeSync();
    }
  };
  const tracked = async <R>(sql: string, work: (connection: DuckDBConnection) => Promise<R>): Promise<R> => {
    lease.note(sql);
    const statement = connected(work);
    running.add(statement);
    try {
      return await statement;
    } finally {
      running.delete(statement);
    }
  };
  const rows: DuckDb['rows'] = (sql) =>
    tracked(sql, async (connection) => (await connection.runAndReadAll(sql)).getRowObjectsJson());
  const row: DuckDb['row'] = async (sql) => {
    const [first] = await rows(sql);
    if (first === undefined) throw new Error(`A row was expected of: ${sql}`);
    return first;
  };
  const run: DuckDb['run'] = (sql) => tracked(sql, async (connection) => void (await connection.run(sql)));
  return {
    run,
    copy: async (sql) => Number((await row(sql)).Count),
    rows,
    row,
    [Symbol.asyncDispose]: async () => {
      // To close it under a running statement would crash the process.
      await Promise.allSettled(running);
      await lease.giveBack();
    },
  };
}

/** True where DuckDB failed because of what a file has in it. */
export function isUnreadableContent(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^(?:Invalid Input|Invalid|Conversion) Error|^IO Error: Could not read enough bytes/.test(error.message)
  );
}

/** What stands before a text that comes back as a value, since the binding drops a U+FEFF that one begins with. */
const GUARD = '.';

/** SQL for a text that is to come back whole, by way of `unguarded`. */
export function guardedSql(text: string): string {
  return `('${GUARD}' || ${text})`;
}

/** The text of a value that `guardedSql` is SQL for. */
export function unguarded(value: SqlValue): string {
  return String(value).slice(GUARD.length);
}

/** A name in SQL. Always quoted: DuckDB's list of keywords grows. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text in SQL. A NUL would end the statement, so it is written as `chr(0)`. */
export function sqlText(text: string): string {
  const quoted = text.split('\0').map((piece) => `'${piece.replaceAll("'", "''")}'`);
  return quoted.length === 1 ? (quoted[0] ?? "''") : `(${quoted.join(' || chr(0) || ')})`;
}

/** A path as DuckDB's readers take it, which is a pattern to them: `*`, `?` and `[` stand for themselves. */
export function sqlPath(path: string): string {
  return sqlText(path.replace(/[*?[]/g, '[$&]'));
}
