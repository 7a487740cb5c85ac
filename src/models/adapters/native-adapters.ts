// Made by scripts/generate-docs.ts from the files of this folder: add a family's file, then run it.
import { amazonNova } from './amazon-nova.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import type { ModelAdapter } from './model-adapter.ts';
import { novaMultimodalEmbeddings } from './nova-multimodal-embeddings.ts';
import { openaiGptOss } from './openai-gpt-oss.ts';
import { titanMultimodalEmbeddings } from './titan-multimodal-embeddings.ts';
import { titanTextEmbeddings } from './titan-text-embeddings.ts';

/** Every model family with a body of its own. */
export const NATIVE_ADAPTERS: readonly ModelAdapter[] = [
  amazonNova,
  anthropicMessages,
  novaMultimodalEmbeddings,
  openaiGptOss,
  titanMultimodalEmbeddings,
  titanTextEmbeddings,
];
