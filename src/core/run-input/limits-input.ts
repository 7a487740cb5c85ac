import { z } from 'zod';
import type { Concern } from './concern.ts';

/** How much is done at most, and for how much. */
export const LIMITS_INPUT = {
  title: 'Limits',
  about: 'How much is done at most, and for how much.',
  fields: {
    max_num_jobs: z.int().min(1).meta({
      description:
        'At most this many jobs in the first wave: only the rows that fit into them, at `max_records_per_job` each, are run.',
    }),
    max_records: z.int().min(1).meta({ description: 'Run only the first so many rows: a pilot.' }),
    max_attempts: z.int().min(1).max(10).meta({
      description:
        'How often a row may be sent at most; a job that never came to it does not count. `resume --max-attempts` grants more. Default 3.',
    }),
    max_cost_usd: z.number().gt(0).meta({
      description:
        'Send nothing that is estimated to bring the run over this, in US dollars: four bytes of input a token, every answer as long as it may be. A run that stopped at it goes on when it is started again with more.',
    }),
  },
} satisfies Concern;
