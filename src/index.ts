/** `quarry`: a prompt or an embedding model over every row of a dataset. */

export type { RunSummary } from './core/summary.ts';
export { VERSION } from './core/version.ts';
