/** `1,234 rows`; one row is `1 row`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`;
}

/** `4.2 s`, `3 min 5 s`, `2 h 7 min`. */
export function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** Dollars, with as many digits as small sums need. */
export function usd(amount: number): string {
  return `$${amount.toFixed(amount < 1 ? 4 : 2)}`;
}

/** A value in one short line, for a table's cell. */
export function cell(value: unknown, maxLength: number): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // Control characters could move the cursor or colour the terminal.
  const line = text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
  const characters = [...line];
  return characters.length <= maxLength ? line : `${characters.slice(0, maxLength - 1).join('')}…`;
}

/** ` --dir …`, for a command in a message; empty for the default. */
export function dirFlag(directory: string): string {
  return directory === '.quarry' ? '' : ` --dir ${directory}`;
}
