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

/** How long ago, without fractions: `12 s`, `5 min`, `2 h 7 min`, `3 days`. */
export function age(ms: number): string {
  if (ms < 60_000) return `${Math.max(0, Math.floor(ms / 1000))} s`;
  if (ms < 48 * 3_600_000) return duration(ms).replace(/ \d+ s$/, '');
  return `${Math.floor(ms / 86_400_000)} days`;
}

/** Dollars, with as many digits as small sums need: two of them that are not 0. */
export function usd(amount: number): string {
  if (amount >= 1)
    return `$${amount.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  if (amount >= 0.01 || amount === 0) return `$${amount.toFixed(amount === 0 ? 2 : 4)}`;
  return `$${amount.toFixed(1 - Math.floor(Math.log10(amount)))}`;
}

/** Characters that could move the cursor, colour the terminal or turn the text around; lines may end. */
const UNPRINTABLE = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** A text of somebody else's for a terminal: what would be obeyed instead of shown is written as an escape. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    if (character === '\n' || character === '\t') return character;
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
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

/** A text as one word of a command that can be pasted into a shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
