import { join } from 'node:path';
import type { RunSummary } from '../core/run/summary.ts';
import type { S3Uri } from '../core/s3-uri.ts';
import type { ResultFile } from '../rows/results/read-results.ts';
import { resultObjects } from '../rows/results/result-objects.ts';
import type { RunFiles } from './run-files.ts';

/** A run's result files for reading. */
export function resultFiles(
  { output_uris }: RunSummary,
  { store, dir }: Pick<RunFiles, 'store' | 'dir'>,
): ResultFile[] {
  return resultObjects(output_uris as S3Uri[], { store, scratchDirectory: join(dir, '.scratch') });
}
