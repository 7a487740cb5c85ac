import { z } from 'zod';
import { AnswerFlaw } from '../jobs/answer-flaws.ts';
import type { Concern, GivenFields, Refuse } from './concern.ts';
import { SchemaForm } from './output-schema.ts';

const fields = {
  output_column: z.string().min(1).meta({
    description: 'Name of the answer column. Default `response`, or `embedding` for embeddings.',
  }),
  output_schema: z.record(z.string(), z.unknown()).meta({
    description:
      'Shape of the answers: a JSON Schema of an object, or its short form, `{"label": "yes | no", "score": "number 0..1", "topics": "string[]", "why": "string?"}`. Each property becomes a column; an answer that does not match is a failed row and is sent again.',
  }),
  output_schema_form: SchemaForm.meta({
    description:
      'How the model is told `output_schema`: `native`, by the field of the request that holds answers to it, or `prompt`, at the end of the prompt. Default `native` where the model has such a field.',
  }),
  reask: z.boolean().meta({
    description:
      'Show the model its answer and what is wrong with it when a row is sent again because its answer did not match `output_schema`. Default true.',
  }),
  output_prefix: z.string().min(1).max(60).meta({
    description: 'Prefix for the columns that `output_schema` adds. Default: none.',
  }),
  retry_truncated: z.boolean().meta({
    description: 'Send a row again if its answer was truncated at `max_tokens`. Default false.',
  }),
  retry_refused: z.boolean().meta({
    description: 'Send a row again if the model refused to answer or the answer was filtered. Default false.',
  }),
  fail_on: z.array(AnswerFlaw).meta({
    description:
      'Answers that count as failures in the exit status: any of `truncated`, `refused`, `empty`. Default: none.',
  }),
};

/** What an answer is, where it goes, and which answers will not do. */
export const ANSWERS_INPUT = {
  title: 'Answers',
  about: 'What an answer is to be, where it goes, and which answers will not do.',
  fields,
  check(given: GivenFields<typeof fields>, refuse: Refuse) {
    for (const key of ['output_prefix', 'output_schema_form', 'reask'] as const) {
      if (given[key] !== undefined && given.output_schema === undefined) {
        refuse(key, 'goes with output_schema');
      }
    }
  },
} satisfies Concern;
