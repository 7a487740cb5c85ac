import { z } from 'zod';
import { RowCounts, TokenCounts } from '../../core/run/ledger.ts';

const Count = z.int().min(0);
const Usd = z.number().min(0).nullable();

/** What every event has. */
const common = {
  at: z.iso.datetime().meta({ description: 'when it was seen, in UTC' }),
  run_id: z.string().meta({ description: 'the run' }),
};

const WaitingSeen = z
  .object({
    error: z.string().meta({ description: 'name of the error, `Queued` or `Validating`' }),
    message: z.string().meta({ description: 'what Bedrock, S3 or the machine said, word for word' }),
    since: z.string().meta({ description: 'when it was first met' }),
  })
  .nullable();

const RunSeen = z
  .object({
    event: z.literal('run'),
    ...common,
    status: z.string().meta({
      description:
        '`running`, `cancelling`, `stopped`, `failed`, `cancelled`, `succeeded` or `partly_succeeded`',
    }),
    target: z.enum(['local', 'bedrock', 'aws']),
    worker: z.string().nullable().meta({ description: 'who is working on it; null where nobody is' }),
    model_id: z.string().nullable().meta({ description: 'null until it is planned, as are the next two' }),
    rows: Count.nullable().meta({ description: 'rows of the run' }),
    parts: Count.nullable().meta({ description: 'parts that are planned or known by now' }),
    simulated: z.boolean().meta({ description: 'true where the answers are a simulated model’s' }),
    billed: z.boolean().meta({ description: 'true where an AWS account pays' }),
  })
  .meta({ title: 'The run, at first and whenever one of these changes.' });

const PartSeen = z
  .object({
    event: z.literal('part'),
    ...common,
    part_id: z.string(),
    wave: Count.nullable().meta({ description: 'null until a wave has it' }),
    attempt: Count.meta({ description: 'how often its records have been tried, this time included' }),
    state: z.string().meta({
      description:
        '`planned`, `waiting`, `submitted`, `validating`, `queued`, `running`, `collecting`, `collected` or `failed`',
    }),
    records: Count.meta({ description: 'records of the part' }),
    done: Count.meta({ description: 'records that are through, by Bedrock’s last count' }),
    waiting: WaitingSeen.meta({ description: 'why it waits, and since when; null where it does not' }),
    job: z
      .object({
        arn: z.string(),
        status: z.string().meta({ description: 'as Bedrock spells it' }),
        age_seconds: Count.nullable().meta({ description: 'since Bedrock took it; null once it has ended' }),
        records_per_minute: z.number().nullable().meta({ description: 'null where it is not known' }),
      })
      .nullable()
      .meta({ description: 'null where it has none' }),
    rows: RowCounts.nullable().meta({ description: 'what became of its rows; null until it is collected' }),
  })
  .meta({ title: 'A part that is in another state than before, or further.' });

const PhaseSeen = z.object({
  phase: z.enum(['plan', 'prepare', 'run', 'merge', 'summarize']),
  state: z.enum(['todo', 'now', 'done']),
  done: Count,
  total: Count.nullable().meta({ description: 'null where there is nothing to count' }),
  unit: z.enum(['bytes', 'rows', 'records', 'parts']),
});

const ProgressSeen = z
  .object({
    event: z.literal('progress'),
    ...common,
    phases: z.array(PhaseSeen).meta({ description: 'all five, in their order' }),
    rows: z.object({
      total: Count.nullable(),
      prepared: Count,
      succeeded: Count,
      unanswered: Count.meta({ description: 'collected, and without an answer so far' }),
      owed: Count.meta({ description: 'of those, the ones that are sent again' }),
      reused: Count.nullable().meta({
        description:
          'of those that succeeded, rows whose answer a former run has paid for; null where none may be',
      }),
    }),
    records: z.object({ done: Count, total: Count }).meta({ description: 'of all parts so far' }),
    records_per_minute: z.number().nullable().meta({ description: 'lately; null where it is not known' }),
    left: z
      .object({
        low_seconds: Count,
        high_seconds: Count,
        basis: z
          .enum(['finished_jobs', 'running_jobs', 'usual_pace'])
          .meta({ description: 'what the range is taken from' }),
        jobs: Count.meta({ description: 'jobs that it is taken from' }),
      })
      .nullable()
      .meta({
        description:
          'seconds that the run may still take, waits for quotas aside; null where nothing is under way',
      }),
    slots: z.object({ at_once: Count, held_by_others: Count }).nullable().meta({
      description:
        'jobs of its models that the account runs at once, and how many of them are others’; null where nobody tells',
    }),
    usd: z.object({
      billed: z
        .boolean()
        .meta({ description: 'false where no AWS account pays: it is what Bedrock would take then' }),
      so_far: Usd.meta({ description: 'for the tokens of what is collected' }),
      expected: Usd.meta({
        description: 'of the whole run: by what is collected, before that as the plan expects it',
      }),
      most: Usd.meta({ description: 'the plan’s estimate with the longest answers' }),
      cap: Usd.meta({ description: '`max_cost_usd`' }),
    }),
    tokens: TokenCounts,
    parts: z.record(z.string(), Count).meta({ description: 'how many parts are in which state' }),
  })
  .meta({ title: 'How far the run is, where that has changed: every few seconds at most.' });

const FailureSeen = z
  .object({
    event: z.literal('failure'),
    ...common,
    error_code: z.string(),
    rows: Count.meta({ description: 'rows without an answer for this cause, by now' }),
    example_record_id: z.string(),
    example_message: z.string(),
  })
  .meta({ title: 'A cause for which rows have no answer, at first and as it grows.' });

const AnswerSeen = z
  .object({
    event: z.literal('answer'),
    ...common,
    part_id: z.string(),
    record_id: z.string(),
    asked: z.string().meta({ description: 'the prompt, 4,000 characters of it at most' }),
    answer: z.string().nullable().meta({ description: 'likewise; null where there is an error instead' }),
    error_code: z.string().nullable(),
    error_message: z.string().nullable(),
    simulated: z.boolean(),
  })
  .meta({ title: 'One of the newest answers, read from what a job has written so far.' });

const NoticeSeen = z
  .object({ event: z.literal('notice'), ...common, message: z.string() })
  .meta({ title: 'What whoever watches should know.' });

const EndSeen = z
  .object({
    event: z.literal('end'),
    ...common,
    status: z.string().meta({ description: 'as in `run`; `stopped` and `failed` can be resumed' }),
    rows: z.object({ total: Count.nullable(), succeeded: Count, unanswered: Count }),
    usd: z.object({ billed: z.boolean(), so_far: Usd }).meta({ description: 'dollars by the price table' }),
  })
  .meta({ title: 'The last line: the run has ended, or nobody is working on it any more.' });

/** Every kind of event, in the order of the documents. */
export const WATCH_EVENTS = [
  RunSeen,
  PartSeen,
  ProgressSeen,
  FailureSeen,
  AnswerSeen,
  NoticeSeen,
  EndSeen,
] as const;

/** One line of `quarry watch --json`. */
export const WatchEvent = z.discriminatedUnion('event', WATCH_EVENTS);
export type WatchEvent = z.infer<typeof WatchEvent>;
