/** Names that a note spells; of the others it has the number. */
const MOST_NAMED = 3;

/**
 * The part of a path below a dataset's folder that says that it is no data, with all before it and, of a folder, a slash; undefined
 * where the path is data. Names that begin with `.` or `_` are not, as Spark, Hive and others have it; but `_year=2024` is a
 * column's value, and its folder has data.
 */
export function hiddenBelow(path: string): string | undefined {
  const parts = path.split('/');
  const at = parts.findIndex((part) => /^\.|^_[^=]*$/.test(part));
  if (at === -1) return undefined;
  return at === parts.length - 1 ? path : `${parts.slice(0, at + 1).join('/')}/`;
}

/** What lies in a dataset's folder and is no part of it. */
export interface PassedOver {
  /** Takes what `hiddenBelow` gave. What is below one folder comes together. */
  add(name: string): void;
  /** What to tell of it: one sentence or none. */
  notes(): string[];
}

/** Keeps in mind what is passed over, however much that is. */
export function createPassedOver(): PassedOver {
  const named: string[] = [];
  let [count, last] = [0, ''];
  return {
    add: (name) => {
      if (name === last) return;
      last = name;
      count += 1;
      if (named.length < MOST_NAMED) named.push(name);
    },
    notes: () => {
      if (count === 0) return [];
      const more = count > named.length ? ` and ${count - named.length} more` : '';
      return [
        `Passed over in the dataset’s folder, as no data: ${named.join(', ')}${more}. Names that begin with . or _ are, and Quarry’s own folder; a file that is named itself is taken.`,
      ];
    },
  };
}
