import { z } from 'zod';
import type { S3Uri } from '../../core/s3-uri.ts';

/** The URI of a run, as it travels through the state machine. */
export const RunUri = z.custom<S3Uri>((value) => typeof value === 'string' && value.startsWith('s3://'));

/** What the state machine carries from state to state: keys, never lists. */
export const RunState = z.object({
  run_id: z.string(),
  run_uri: RunUri,
  /** For ItemReader and ResultWriter, which take a bucket and a key. */
  bucket: z.string(),
  slices_key: z.string(),
  map_results_prefix: z.string(),
  prepare_concurrency: z.int(),
  max_concurrent_jobs: z.int(),
  /** Waves done. */
  wave: z.int().min(0),
});
export type RunState = z.infer<typeof RunState>;
