import { DuckDBInstance } from '@duckdb/node-api';

/** What one DuckDB may use. */
export interface DuckDbOptions {
  memoryMb: number;
  threads: number;
  /** Where it spills what does not fit into memory. */
  scratchDirectory: string;
}

/** Instances that wait to be used again. To make one takes as long as dozens of statements; an idle one has 2 MB. */
const idle: DuckDBInstance[] = [];
const MOST_IDLE = 2;

/** To lower the limit makes DuckDB give its memory back to the system. It fails where some is still in use. */
const IDLE_MEMORY_MB = 10;

/**
 * Optimizers that no statement has. With this one, DuckDB answers `IS NULL`, comparisons, minima and maxima by the statistics of
 * a Parquet file, and sorts by them: writers are known to write false ones, and values count.
 */
const DISABLED_OPTIMIZERS = ['statistics_propagation'];

/** SQL that disables optimizers as well as those that no statement has. */
export function disableOptimizersSql(names: readonly string[]): string {
  return `SET GLOBAL disabled_optimizers = '${[...DISABLED_OPTIMIZERS, ...names].join(',')}'`;
}

/** Statements that leave nothing behind. */
const TRACELESS = /^\s*(?:SELECT|FROM|WITH|DESCRIBE|COPY|INSERT)\b/i;
/** Statements that leave something behind which can be taken back, and its name. */
const CREATES_TABLE = /^\s*CREATE TABLE (\w+)\b/i;
const SETS_OPTION = /^\s*SET (?:GLOBAL )?(\w+)\b/i;

/** A DuckDB that is one user's alone, until it is given back. */
export interface LeasedDuckDb {
  instance: DuckDBInstance;
  /** Must be told of every statement before it runs. */
  note(sql: string): void;
  /** Must be told of a statement that failed. */
  spoil(): void;
  /** Leaves it as it was for the next user, or closes it. Nothing may be running on it. */
  giveBack(): Promise<void>;
}

/** An empty in-memory DuckDB that loads no extensions and never reaches the network: an idle one, or a new one. */
export async function leaseDuckDb(options: DuckDbOptions): Promise<LeasedDuckDb> {
  const instance = (await reuseInstance(options)) ?? (await createInstance(options));
  const cleanup = new Set<string>();
  let isSpoilt = false;
  return {
    instance,
    note: (sql) => {
      if (TRACELESS.test(sql)) return;
      const table = CREATES_TABLE.exec(sql)?.[1];
      const option = SETS_OPTION.exec(sql)?.[1];
      if (table !== undefined) cleanup.add(`DROP TABLE IF EXISTS ${table}`);
      else if (option !== undefined) cleanup.add(`RESET GLOBAL ${option}`);
      else isSpoilt = true;
    },
    spoil: () => {
      isSpoilt = true;
    },
    giveBack: async () => {
      const statements = [...cleanup, `SET GLOBAL memory_limit = '${IDLE_MEMORY_MB}MB'`];
      if (!isSpoilt && idle.length < MOST_IDLE && (await succeeds(instance, statements))) idle.push(instance);
      else instance.closeSync();
    },
  };
}

async function reuseInstance(options: DuckDbOptions): Promise<DuckDBInstance | undefined> {
  for (let instance = idle.pop(); instance !== undefined; instance = idle.pop()) {
    const statements = Object.entries(settingsOf(options)).map(
      ([name, value]) => `SET GLOBAL ${name} = '${value.replaceAll("'", "''")}'`,
    );
    if (await succeeds(instance, statements)) return instance;
    // The directory that it has spilt to cannot be changed.
    instance.closeSync();
  }
  return undefined;
}

async function createInstance(options: DuckDbOptions): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(':memory:', {
    ...settingsOf(options),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    preserve_insertion_order: 'true',
    // The system caches files already, and knows when they change.
    enable_external_file_cache: 'false',
  });
  // What GeoParquet has as binary stays binary.
  await runAll(instance, [`SET GLOBAL TimeZone = 'UTC'`, 'SET GLOBAL enable_geoparquet_conversion = false']);
  return instance;
}

function settingsOf({ memoryMb, threads, scratchDirectory }: DuckDbOptions): Record<string, string> {
  return {
    memory_limit: `${memoryMb}MB`,
    threads: String(threads),
    temp_directory: scratchDirectory,
    home_directory: scratchDirectory,
    disabled_optimizers: DISABLED_OPTIMIZERS.join(','),
  };
}

/** Runs statements one after the other. */
async function runAll(instance: DuckDBInstance, statements: readonly string[]): Promise<void> {
  const connection = await instance.connect();
  try {
    await connection.run(statements.join('; '));
  } finally {
    connection.closeSync();
  }
}

/** False where one of the statements failed. */
function succeeds(instance: DuckDBInstance, statements: readonly string[]): Promise<boolean> {
  return runAll(instance, statements).then(
    () => true,
    () => false,
  );
}
