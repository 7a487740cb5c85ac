/** Digits of a row number in a record id: enough for ten thousand million rows. */
export const RECORD_ID_DIGITS = 10;

/**
 * The record id of a row: `r` and its global number in ten digits, eleven alphanumeric characters, which is the
 * oldest documented form of Bedrock's record ids.
 */
export function recordIdOf(row: number): string {
  return `r${String(row).padStart(RECORD_ID_DIGITS, '0')}`;
}
