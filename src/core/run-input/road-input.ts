import { z } from 'zod';
import type { Concern } from './concern.ts';

/** Letters, digits and single hyphens: fit for an S3 key, a job name and an execution name. */
const RunId = z
  .string()
  .regex(/^[a-zA-Z0-9](?:-?[a-zA-Z0-9])*$/, 'use letters, digits and single hyphens')
  .max(60);

const JobNamePrefix = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9+.-]*$/, 'use letters, digits, "-", "+" and "."; "_" and blanks become "-"')
  .max(40);

/** How the rows get to the model: as which jobs, how large, under which names. */
export const ROAD_INPUT = {
  title: 'Jobs',
  about: 'How the rows get to the model: in which jobs, how large, under which names.',
  fields: {
    run_id: RunId.meta({
      description: 'Name of this run. Give the same one to resume. Default: derived from the input.',
    }),
    job_name_prefix: JobNamePrefix.meta({
      description:
        'Start of the name of every model invocation job; `_` and blanks in it become `-`. Default `quarry`.',
    }),
    max_records_per_job: z.int().min(1).meta({
      description:
        'Most records in one job. Default: the model’s quota. `max_records_per_batch` is an alias.',
    }),
    timeout_hours: z.int().min(24).max(168).meta({
      description:
        'Hours after which Bedrock ends a job, queue included. `resume --timeout-hours` changes it for the jobs to come. Default: Bedrock’s own, 24.',
    }),
    pilot: z.boolean().meta({
      description:
        'Where there are three parts or more, run a small first part alone, and stop if over half of its records fail. Default true.',
    }),
    dedupe: z.boolean().meta({
      description: 'Send identical requests once and give the answer to all their rows. Default false.',
    }),
    force: z.boolean().meta({
      description:
        'Try what Quarry’s [catalogue of models](models.md) says that Bedrock refuses: the plan notes it instead. Default false.',
    }),
  },
} satisfies Concern;

/** The prefix with a hyphen for what the AWS sample's documents have in it and Bedrock refuses. */
export function cleanJobNamePrefix(prefix: string): string {
  return prefix.replaceAll(/[\s_]+/g, '-').replace(/^-+/, '');
}
