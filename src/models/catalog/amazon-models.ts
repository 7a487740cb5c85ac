import type { ModelFacts } from './model-facts.ts';
import { batchPrice, byEither, byPlainId, byProfile, LISTED } from './row-parts.ts';

const NOVA = {
  ...LISTED,
  body: 'nova-messages',
  output: 'text',
  structuredOutput: false,
  thinking: 'none',
  // https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html
  refuses: { temperatureOver: 1 },
} as const;
const EMBEDDING = {
  ...LISTED,
  output: 'embedding',
  structuredOutput: false,
  thinking: 'none',
  refuses: {},
} as const;

/** Job size of the models that read media. https://docs.aws.amazon.com/general/latest/gr/bedrock.html */
const LARGE_JOB = 100 * 1024 ** 3;

const NOVA_1_PROFILES =
  'ap-east-2 ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-5 ap-southeast-7 eu-central-1 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-3 il-central-1 me-central-1 us-east-1 us-east-2 us-west-2';

/** Amazon's own models. */
export const AMAZON_MODELS: readonly ModelFacts[] = [
  {
    ...NOVA,
    id: 'amazon.nova-micro-v1:0',
    name: 'Nova Micro',
    reads: [],
    batch: byEither({ plainIn: 'us-east-1 us-gov-west-1', profileIn: NOVA_1_PROFILES }, ['us', 'eu', 'apac']),
    maxTokens: 10_000,
    contextTokens: 128_000,
    price: batchPrice(0.0175, 0.07),
  },
  {
    ...NOVA,
    id: 'amazon.nova-lite-v1:0',
    name: 'Nova Lite',
    reads: ['image', 'document', 'video'],
    batch: byEither(
      {
        plainIn: 'me-central-1 us-east-1 us-gov-west-1',
        profileIn: `${NOVA_1_PROFILES} ap-southeast-4 ca-central-1 ca-west-1 us-west-1`,
      },
      ['us', 'eu', 'apac', 'ca'],
    ),
    maxTokens: 10_000,
    contextTokens: 300_000,
    price: batchPrice(0.03, 0.12),
    maxJobBytes: LARGE_JOB,
  },
  {
    ...NOVA,
    id: 'amazon.nova-pro-v1:0',
    name: 'Nova Pro',
    reads: ['image', 'document', 'video'],
    batch: byEither(
      {
        plainIn: 'ap-southeast-3 me-central-1 us-east-1 us-gov-west-1',
        profileIn: `${NOVA_1_PROFILES} ap-southeast-4 us-west-1`,
      },
      ['us', 'eu', 'apac'],
    ),
    maxTokens: 10_000,
    contextTokens: 300_000,
    price: batchPrice(0.4, 1.6),
    maxJobBytes: LARGE_JOB,
  },
  {
    ...NOVA,
    id: 'amazon.nova-premier-v1:0',
    name: 'Nova Premier',
    reads: ['image', 'document', 'video'],
    batch: byProfile('us-east-1 us-east-2 us-west-2', ['us']),
    maxTokens: 10_000,
    contextTokens: 1_000_000,
  },
  {
    ...NOVA,
    id: 'amazon.nova-2-lite-v1:0',
    name: 'Nova 2 Lite',
    reads: ['image', 'document', 'video'],
    batch: byProfile(`${NOVA_1_PROFILES} ap-southeast-4 ca-central-1 ca-west-1 eu-west-2 us-west-1`, [
      'us',
      'eu',
      'jp',
      'global',
    ]),
    maxTokens: 65_535,
    contextTokens: 1_000_000,
    price: { ...batchPrice(0.15, 1.25), regional: { input: 0.1595, output: 1.3255 } },
    thinking: 'reasoning-config',
  },
  {
    ...EMBEDDING,
    id: 'amazon.titan-embed-text-v2:0',
    name: 'Titan Text Embeddings V2',
    body: 'titan-text-embeddings',
    reads: [],
    batch: byPlainId(
      'ap-northeast-1 ap-northeast-2 ca-central-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-2 sa-east-1 us-east-1 us-west-2',
    ),
    price: batchPrice(0.01, 0),
  },
  {
    ...EMBEDDING,
    id: 'amazon.titan-embed-image-v1',
    name: 'Titan Multimodal Embeddings G1',
    body: 'titan-multimodal-embeddings',
    reads: ['image'],
    batch: byPlainId(
      'ap-south-1 ap-southeast-2 ca-central-1 eu-central-1 eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 us-west-2',
    ),
  },
  {
    ...EMBEDDING,
    id: 'amazon.nova-2-multimodal-embeddings-v1:0',
    name: 'Nova Multimodal Embeddings',
    body: 'nova-embeddings',
    reads: ['image', 'audio', 'video'],
    batch: byPlainId('us-east-1'),
    maxJobBytes: LARGE_JOB,
    note: 'Its answers tell no tokens.',
  },
];
