import { z } from 'zod';
import type { Concern, GivenFields, Refuse } from './concern.ts';

const fields = {
  prompt_id: z.string().min(1).meta({
    description: 'Name of a template in `promptIdToTemplate`; null for embeddings.',
  }),
  prompt_template: z.string().min(1).meta({
    description:
      'Inline template, instead of `prompt_id`: `{column}` is a placeholder, `{{` and `}}` are literal braces.',
  }),
  system_prompt: z.string().min(1).meta({
    description: 'System prompt. `{column}` is a placeholder here too; `{{` and `}}` are literal braces.',
  }),
  text_column: z
    .string()
    .min(1)
    .meta({ description: 'Column to embed. Default `input_text`. Embeddings only.' }),
};

/** What is asked about each row. */
export const PROMPT_INPUT = {
  title: 'Prompt',
  about: 'What is asked about each row.',
  fields,
  check(given: GivenFields<typeof fields>, refuse: Refuse) {
    if (given.prompt_id !== undefined && given.prompt_template !== undefined) {
      refuse('prompt_template', 'give prompt_id or prompt_template, not both');
    }
  },
} satisfies Concern;
