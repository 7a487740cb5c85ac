import { z } from 'zod';
import type { Concern, GivenFields, Refuse } from './concern.ts';

/** Letters, digits and single hyphens: fit for an S3 key, a job name and an execution name. */
const RunId = z
  .string()
  .regex(/^[a-zA-Z0-9](?:-?[a-zA-Z0-9])*$/, 'use letters, digits and single hyphens')
  .max(60);

const JobNamePrefix = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9+.-]*$/, 'use letters, digits, "-", "+" and "."; "_" and blanks become "-"')
  .max(40);

const fields = {
  run_id: RunId.meta({
    description: 'Name of this run. Use the same one to resume it. Default: derived from the input.',
  }),
  job_name_prefix: JobNamePrefix.meta({
    description: 'Prefix of every model invocation job’s name; `_` and blanks become `-`. Default `quarry`.',
  }),
  max_records_per_job: z.int().min(1).meta({
    description: 'Maximum records per job. Default: the model’s quota. `max_records_per_batch` is an alias.',
  }),
  max_concurrent_jobs: z.int().min(1).meta({
    description:
      'At most this many jobs of the run at once, so that other runs find a slot. It may be another when the run goes on. Default: the model’s quota, so that one run may take all of it.',
  }),
  min_records_per_job_spread: z.int().min(1).meta({
    description:
      'Idle slots get jobs too, which end sooner for the same price, as long as each has this many records. A number over the records of a job keeps jobs as full as they can be. Default 2500.',
  }),
  timeout_hours: z.int().min(24).max(168).meta({
    description:
      'Hours after which Bedrock ends a job, including its time in the queue. `resume --timeout-hours` changes it for later jobs. Default: Bedrock’s own, 24.',
  }),
  pilot: z.boolean().meta({
    description:
      'With three parts or more, run a small first part alone, and stop if over half of its records fail. Default true.',
  }),
  pilot_rows: z.int().min(1).meta({
    description:
      'Send this many first rows as a pilot, and stop: under 100 on demand, at twice the price. The run goes on when it is started again without it, and pays for no row of the pilot again. [`quarry plan --pilot N`](price.md#a-pilot) does this and tells what the whole should cost.',
  }),
  dedupe: z.boolean().meta({
    description: 'Send identical requests once and give the answer to all of their rows. Default false.',
  }),
  reuse: z.boolean().meta({
    description:
      'Take the answers that former runs of this store have paid for, where model, prompt and every parameter are the same, and send the other requests once each; keep this run’s answers for later ones. Default false.',
  }),
  rerun_of: RunId.meta({
    description:
      'A run of the same dataset, which has ended: its good answers are this run’s too, and only the rows that `rerun_rows` names are sent. `quarry rerun` sets both.',
  }),
  rerun_rows: z
    .array(z.enum(['failed', 'truncated', 'refused'], 'use failed, truncated or refused'))
    .min(1)
    .meta({
      description:
        'With `rerun_of`: which of its rows are sent again: `failed` (no answer; such rows always are), `truncated`, `refused`.',
    }),
  force: z.boolean().meta({
    description:
      'Try what Bedrock refuses according to Quarry’s [model catalogue](models.md); the plan notes it instead of refusing. Default false.',
  }),
};

/** How the rows get to the model: as which jobs, how large, under which names. */
export const ROAD_INPUT = {
  title: 'Jobs',
  about: 'How the rows get to the model: in which jobs, how large, under which names.',
  fields,
  check({ reuse, dedupe, rerun_of, rerun_rows, run_id }: GivenFields<typeof fields>, refuse: Refuse) {
    if (reuse === true && dedupe === false) {
      refuse('dedupe', 'is false, but reuse sends identical requests once. Leave one of them out');
    }
    if ((rerun_of === undefined) !== (rerun_rows === undefined)) {
      refuse(rerun_of === undefined ? 'rerun_rows' : 'rerun_of', 'rerun_of and rerun_rows go together');
    }
    if (rerun_of !== undefined && rerun_of === run_id) {
      refuse('rerun_of', 'is the run_id of this run. Name the new run otherwise');
    }
    if (rerun_of !== undefined && reuse === true) {
      refuse(
        'reuse',
        'takes the answers of all former runs, and rerun_of those of one. Leave one of them out',
      );
    }
  },
} satisfies Concern;

/** The prefix with a hyphen for what the AWS sample's documents have in it and Bedrock refuses. */
export function cleanJobNamePrefix(prefix: string): string {
  return prefix.replaceAll(/[\s_]+/g, '-').replace(/^-+/, '');
}
