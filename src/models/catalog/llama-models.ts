import type { ModelFacts } from './model-facts.ts';
import { batchPrice, byEither, byPlainId, byProfile, LISTED, notListed } from './row-parts.ts';

const LLAMA = {
  body: 'llama-prompt',
  output: 'text',
  reads: [],
  structuredOutput: false,
  thinking: 'none',
  refuses: {},
  ...LISTED,
} as const satisfies Partial<ModelFacts>;

/**
 * AWS's card of Llama 3.1 says 4K tokens, gateways have 8,192 in their tables: only what both refuse is refused here.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-card-meta-llama-3-1-70b-instruct.html
 */
const LLAMA_3_1 = {
  ...LLAMA,
  contextTokens: 131_072,
  maxTokens: 8192,
  note: 'AWS’s card says 4K output tokens, other tables say 8,192.',
} as const;

/** Meta's models. */
export const LLAMA_MODELS: readonly ModelFacts[] = [
  {
    ...LLAMA_3_1,
    id: 'meta.llama3-1-8b-instruct-v1:0',
    name: 'Llama 3.1 8B Instruct',
    batch: byEither({ plainIn: 'us-west-2', profileIn: 'us-east-1 us-west-2' }, ['us']),
  },
  {
    ...LLAMA_3_1,
    id: 'meta.llama3-1-70b-instruct-v1:0',
    name: 'Llama 3.1 70B Instruct',
    batch: byEither({ plainIn: 'us-west-2', profileIn: 'us-east-1 us-west-2' }, ['us']),
  },
  {
    ...LLAMA_3_1,
    id: 'meta.llama3-1-405b-instruct-v1:0',
    name: 'Llama 3.1 405B Instruct',
    batch: byPlainId('us-west-2'),
  },
  ...(['1b', '3b'] as const).map(
    (size): ModelFacts => ({
      ...LLAMA,
      id: `meta.llama3-2-${size}-instruct-v1:0`,
      contextTokens: 131_072,
      name: `Llama 3.2 ${size.toUpperCase()} Instruct`,
      batch: byProfile('eu-central-1 eu-west-1 eu-west-3 us-east-1 us-west-2', ['us', 'eu']),
      maxTokens: 8192,
    }),
  ),
  ...(['11b', '90b'] as const).map(
    (size): ModelFacts => ({
      ...LLAMA,
      id: `meta.llama3-2-${size}-instruct-v1:0`,
      contextTokens: 131_072,
      name: `Llama 3.2 ${size.toUpperCase()} Instruct`,
      reads: ['image'],
      batch: byProfile('us-east-1 us-west-2', ['us']),
      maxTokens: 8192,
    }),
  ),
  {
    ...LLAMA,
    id: 'meta.llama3-3-70b-instruct-v1:0',
    contextTokens: 131_072,
    name: 'Llama 3.3 70B Instruct',
    batch: byEither({ plainIn: 'us-east-2', profileIn: 'us-east-1 us-east-2 us-west-2' }, ['us']),
    maxTokens: 8192,
    price: batchPrice(0.36, 0.36),
  },
  {
    ...LLAMA,
    id: 'meta.llama4-scout-17b-instruct-v1:0',
    name: 'Llama 4 Scout 17B Instruct',
    reads: ['image'],
    batch: byProfile('us-east-1 us-east-2 us-west-1 us-west-2', ['us']),
    maxTokens: 8192,
    price: batchPrice(0.085, 0.33),
  },
  {
    ...LLAMA,
    id: 'meta.llama4-maverick-17b-instruct-v1:0',
    name: 'Llama 4 Maverick 17B Instruct',
    reads: ['image'],
    batch: byProfile('us-east-1 us-east-2 us-west-1 us-west-2', ['us']),
    maxTokens: 8192,
    price: batchPrice(0.12, 0.485),
  },
  {
    ...LLAMA,
    id: 'meta.llama3-8b-instruct*',
    name: 'Llama 3 8B Instruct',
    batch: notListed('meta.llama3-1-8b-instruct-v1:0'),
  },
  {
    ...LLAMA,
    id: 'meta.llama3-70b-instruct*',
    name: 'Llama 3 70B Instruct',
    batch: notListed('meta.llama3-3-70b-instruct-v1:0'),
  },
  { ...LLAMA, id: 'meta.llama2*', name: 'Llama 2', batch: notListed('meta.llama3-3-70b-instruct-v1:0') },
  { ...LLAMA, id: 'meta.llama*', name: 'another Llama', batch: { kind: 'unknown' } },
];
