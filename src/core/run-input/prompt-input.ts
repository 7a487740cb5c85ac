import { z } from 'zod';
import type { Concern, GivenFields, Refuse } from './concern.ts';

/** A turn of the conversation before the prompt. */
export const Message = z.strictObject({ role: z.enum(['user', 'assistant']), content: z.string().min(1) });

const fields = {
  prompt_id: z.string().min(1).meta({
    description: 'Name of a template in `promptIdToTemplate`; null for embeddings.',
  }),
  prompt_template: z.string().min(1).meta({
    description:
      'Inline template, instead of `prompt_id`: `{column}` is a placeholder, `{{` and `}}` are literal braces.',
  }),
  prompt_id_column: z.string().min(1).meta({
    description:
      'Column whose value says by which prompt its row is asked, instead of one `prompt_id` for all. A row whose value is null or no prompt’s id is not sent (`UnknownPromptId`).',
  }),
  prompt_templates: z
    .record(z.string().min(1), z.string().min(1))
    .refine((templates) => Object.keys(templates).length > 0, 'has no prompt')
    .meta({
      description:
        'Templates that `prompt_id_column` chooses among: `{"id": "template", …}`. Default the folder of prompts and `promptIdToTemplate`.',
    }),
  system_prompt: z.string().min(1).meta({
    description: 'System prompt. `{column}` is a placeholder here too; `{{` and `}}` are literal braces.',
  }),
  messages: z.array(Message).min(1).meta({
    description:
      'Turns before the prompt, as examples: `[{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]`, in turn, the last one the assistant’s. `{column}` is a placeholder here too.',
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
    for (const key of ['prompt_id', 'prompt_template'] as const) {
      if (given.prompt_id_column !== undefined && given[key] !== undefined) {
        refuse('prompt_id_column', `give prompt_id_column or ${key}, not both`);
      }
    }
    if (given.prompt_templates !== undefined && given.prompt_id_column === undefined) {
      refuse('prompt_templates', 'goes with prompt_id_column, which chooses among them');
    }
    const { messages } = given;
    if (!Array.isArray(messages)) return;
    const wrong = messages.findIndex(
      (message, turn) => message?.role !== (turn % 2 === 0 ? 'user' : 'assistant'),
    );
    if (wrong !== -1) {
      refuse(
        'messages',
        `turn ${wrong + 1} must be the ${wrong % 2 === 0 ? 'user' : 'assistant'}’s: they take turns, and the user begins`,
      );
    } else if (messages.length % 2 === 1) {
      refuse('messages', 'the last one must be the assistant’s: the prompt is the user’s next turn');
    }
  },
} satisfies Concern;
