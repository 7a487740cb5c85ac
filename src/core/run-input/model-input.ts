import { z } from 'zod';
import type { Concern } from './concern.ts';

/** The inference parameters of every family; each family takes some of them. */
export const InferenceParameters = z.strictObject({
  max_tokens: z.int().min(1).meta({ description: 'Maximum tokens per answer. Default 1024.' }).optional(),
  temperature: z
    .number()
    .min(0)
    .max(2)
    .meta({ description: 'Randomness of the answers; at most 1 for all but gpt-oss.' })
    .optional(),
  top_p: z
    .number()
    .gt(0)
    .max(1)
    .meta({ description: 'Choose from the likeliest tokens whose probabilities add up to this.' })
    .optional(),
  top_k: z.int().min(0).meta({ description: 'Number of the likeliest tokens to choose from.' }).optional(),
  stop_sequences: z
    .array(z.string().min(1))
    .max(2500)
    .meta({ description: 'Texts at which an answer ends.' })
    .optional(),
  dimensions: z
    .int()
    .min(1)
    .meta({
      description: 'Length of the vector: one of those that the model offers (256, 384, 512, 1024, 3072).',
    })
    .optional(),
  normalize: z.boolean().meta({ description: 'Scale the vector to length 1.' }).optional(),
  embedding_type: z
    .enum(['float', 'binary'])
    .meta({
      description:
        'Numbers of the vector: `float`, or `binary`, each 0 or 1, for indexes that compare by Hamming distance. Default `float`.',
    })
    .optional(),
  embedding_purpose: z
    .enum([
      'generic_index',
      'generic_retrieval',
      'text_retrieval',
      'image_retrieval',
      'video_retrieval',
      'document_retrieval',
      'audio_retrieval',
      'classification',
      'clustering',
    ])
    .meta({
      description:
        'What the vectors are for: those of a collection that is searched (`generic_index`), those of the questions to it (`…_retrieval`), classes or clusters. Default `generic_index`.',
    })
    .optional(),
  truncation: z
    .enum(['start', 'end', 'none'])
    .meta({
      description:
        'Which end of a text that is too long is cut off before it is embedded; `none` gives such a row an error. Default `none`.',
    })
    .optional(),
});

/** Which model answers, and how it is called. */
export const MODEL_INPUT = {
  title: 'Model',
  about: 'Which model answers, and how it is called.',
  fields: {
    model_id: z.string().min(1).max(2048).meta({
      description: 'Model id, inference profile id (`us.`, `eu.`, `global.`, …) or ARN.',
    }),
    base_model_id: z.string().min(1).max(2048).meta({
      description:
        'Model behind `model_id`, if that is an ARN that does not tell (an application inference profile, a custom model): its price, parameters and request format apply.',
    }),
    thinking: z.enum(['off', 'low', 'medium', 'high', 'max']).meta({
      description:
        'How much the model thinks before it answers: `off`, `low`, `medium`, `high`, `max`, in the model’s own form. Thoughts are paid for as output, and `max_tokens` counts for both. Default `off`, which models are told that would think otherwise.',
    }),
    inference_parameters: InferenceParameters.meta({
      description:
        '`max_tokens` (default 1024), `temperature`, `top_p`, `top_k`, `stop_sequences` for text; `dimensions`, `normalize`, `embedding_type`, `embedding_purpose`, `truncation` for embeddings. The model’s own defaults otherwise.',
    }),
  },
} satisfies Concern;
