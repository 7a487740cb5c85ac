import type { RunInput } from '../../core/run-input/run-input.ts';

/** What a plan made of its input. */
export interface PlannedInput {
  /** As it was given. */
  document: unknown;
  /** As it was parsed. */
  given: RunInput;
  /** As it is run, with what the dataset decides. */
  input: RunInput;
  /** Rows that could be run, and those that are. */
  available: number;
  selected: number;
  /** Records of each part. */
  jobs: readonly number[];
}

/** What a plan decided that its input does not say explicitly. */
export function planNotes({ document, given, input, available, selected, jobs }: PlannedInput): string[] {
  const n = (value: number) => value.toLocaleString('en-US');
  const written = (document as { job_name_prefix?: unknown }).job_name_prefix;
  return [
    typeof written === 'string' && written !== given.job_name_prefix
      ? `job_name_prefix "${written}" is taken as "${given.job_name_prefix}": Bedrock allows no "_" and no blank in the name of a job.`
      : [],
    input.record_id_column === given.record_id_column
      ? []
      : `The dataset’s own column ${input.record_id_column} gives the record ids.`,
    input.max_num_jobs !== undefined && selected < available
      ? `max_num_jobs ${input.max_num_jobs} comes to ${n(selected)} of ${n(available)} rows: ${n(jobs.length)} ${jobs.length === 1 ? 'job' : 'jobs'} of up to ${n(Math.max(...jobs))} records.`
      : [],
  ].flat();
}
