import { z } from 'zod';
import { AnswerFlaw } from '../jobs/answer-flaws.ts';
import type { Concern, GivenFields, Refuse } from './concern.ts';

const fields = {
  output_column: z.string().min(1).meta({
    description: 'Name of the column of answers. Default `response`, or `embedding` for embeddings.',
  }),
  output_schema: z.record(z.string(), z.unknown()).meta({
    description:
      'What answers are to be: a JSON Schema of an object, or its short form, `{"label": "yes | no", "score": "number 0..1", "topics": "string[]", "why": "string?"}`. Each property becomes a column; an answer that is not of the schema is a failed row and sent again.',
  }),
  output_prefix: z.string().min(1).max(60).meta({
    description: 'Put before the names of the columns that `output_schema` adds. Default: nothing.',
  }),
  retry_truncated: z.boolean().meta({
    description: 'Send a row again whose answer was cut off at `max_tokens`. Default false.',
  }),
  retry_refused: z.boolean().meta({
    description:
      'Send a row again that the model refused to answer, or whose answer was filtered. Default false.',
  }),
  fail_on: z.array(AnswerFlaw).meta({
    description:
      'Answers that count as failures for the exit status, some of `truncated`, `refused` and `empty`. Default: none.',
  }),
};

/** What an answer is, where it goes, and which answers will not do. */
export const ANSWERS_INPUT = {
  title: 'Answers',
  about: 'What an answer is to be, where it goes, and which answers will not do.',
  fields,
  check(given: GivenFields<typeof fields>, refuse: Refuse) {
    if (given.output_prefix !== undefined && given.output_schema === undefined) {
      refuse('output_prefix', 'goes with output_schema');
    }
  },
} satisfies Concern;
