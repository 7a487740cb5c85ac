/** Names in a message: the first few, and how many others there are. */
export const MOST_LISTED = 3;

/** Names for a message: the first few, and how many more there are. */
export function listed(names: readonly string[]): string {
  const more = names.length > MOST_LISTED ? ` and ${names.length - MOST_LISTED} more` : '';
  return `${names.slice(0, MOST_LISTED).join(', ')}${more}`;
}
