import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

/** What one DuckDB may use. */
export interface DuckDbOptions {
  memoryMb: number;
  threads: number;
  /** Where it spills what does not fit into memory. */
  scratchDirectory: string;
}

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

/** Opens a database that loads no extensions and never reaches the network. */
export async function openDuckDb(options: DuckDbOptions): Promise<DuckDb> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${options.memoryMb}MB`,
    threads: String(options.threads),
    temp_directory: options.scratchDirectory,
    home_directory: options.scratchDirectory,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    preserve_insertion_order: 'true',
  });
  const running = new Set<Promise<unknown>>();
  const connected = async <R>(work: (connection: DuckDBConnection) => Promise<R>): Promise<R> => {
    const connection = await instance.connect();
    try {
      return await work(connection);
    } finally {
      connection.closeSync();
    }
  };
  const tracked = async <R>(work: (connection: DuckDBConnection) => Promise<R>): Promise<R> => {
    const statement = connected(work);
    running.add(statement);
    try {
      return await statement;
    } finally {
      running.delete(statement);
    }
  };
  const rows: DuckDb['rows'] = (sql) =>
    tracked(async (connection) => (await connection.runAndReadAll(sql)).getRowObjectsJson());
  const row: DuckDb['row'] = async (sql) => {
    const [first] = await rows(sql);
    if (first === undefined) throw new Error(`A row was expected of: ${sql}`);
    return first;
  };
  const run: DuckDb['run'] = (sql) => tracked(async (connection) => void (await connection.run(sql)));
  await run(`SET GLOBAL TimeZone = 'UTC'`);
  return {
    run,
    copy: async (sql) => Number((await row(sql)).Count),
    rows,
    row,
    [Symbol.asyncDispose]: async () => {
      // To close it under a running statement would crash the process.
      await Promise.allSettled(running);
      instance.closeSync();
    },
  };
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
