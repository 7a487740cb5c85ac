/** Largest file that is read together with others. */
export const SMALL_FILE_BYTES = 1_000_000;
/** What one statement reads at most of small files. */
const MOST_BYTES = 16_000_000;
const MOST_FILES = 500;
/** Of all these files: DuckDB has a reader for each column of a Parquet file. */
const MOST_COLUMNS = 20_000;

/** What decides whether a file may be read by one statement with its neighbours. */
export interface Company {
  /** The same for files that may; undefined for one that may not. */
  key: string | undefined;
  bytes: number;
}

/** Runs of neighbours that are read by one statement each, as a statement for each of thousands of small files takes long. */
export function* readTogether<T>(
  items: Iterable<T>,
  companyOf: (item: T) => Company,
  columns: number,
): Generator<[T, ...T[]]> {
  const mostFiles = Math.max(1, Math.min(MOST_FILES, Math.floor(MOST_COLUMNS / Math.max(1, columns))));
  let run: [T, ...T[]] | undefined;
  let [keyOfRun, bytesOfRun]: [string | undefined, number] = [undefined, 0];
  for (const item of items) {
    const { key, bytes } = companyOf(item);
    const isJoined =
      run !== undefined &&
      key !== undefined &&
      key === keyOfRun &&
      run.length < mostFiles &&
      bytesOfRun + bytes <= MOST_BYTES;
    if (isJoined) {
      run?.push(item);
      bytesOfRun += bytes;
    } else {
      if (run !== undefined) yield run;
      run = [item];
      [keyOfRun, bytesOfRun] = [key, bytes];
    }
  }
  if (run !== undefined) yield run;
}

/** True where DuckDB's number of a file among several is not hidden by a column of that name. */
export function canNumberFiles(columns: readonly string[]): boolean {
  return !columns.some((name) => name.toLowerCase() === 'file_index');
}

/** What several files are called together. */
export function nameOfSeveral([first = '', ...others]: readonly string[]): string {
  return others.length === 0 ? first : `${first} and ${others.length} more, up to ${others.at(-1)},`;
}
