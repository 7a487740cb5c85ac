import { LedgerMismatchError } from '../../core/errors.ts';

/** Throws LedgerMismatchError where there are not as many rows as there should be. */
export function expectRows(actual: number, expected: number, what: string): void {
  if (actual !== expected) {
    throw new LedgerMismatchError(
      `${what} has ${actual} rows where ${expected} were expected. Was the dataset changed after the run was planned? Start a new run.`,
    );
  }
}
