import type { BatchPrice, ModelFacts, Refusals } from './model-facts.ts';
import { batchPrice, byEither, byPlainId, byProfile, LISTED, notListed } from './row-parts.ts';

/** What Claude refuses: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html */
const CLAUDE_REFUSES: Refusals = {
  temperatureOver: 1,
  // "each stop sequence must contain non-whitespace": https://github.com/BerriAI/litellm/issues/3286
  blankStopSequences: true,
};
/** From Claude 4.1 on: "`temperature` and `top_p` cannot both be specified for this model". */
const CLAUDE_4_1_REFUSES: Refusals = { ...CLAUDE_REFUSES, temperatureWithTopP: true };
/** From Claude Opus 4.7 on, sampling cannot be changed. */
const CLAUDE_5_REFUSES: Refusals = { ...CLAUDE_REFUSES, sampling: true };

const CLAUDE = {
  body: 'claude-messages',
  output: 'text',
  reads: ['image'],
  structuredOutput: false,
  thinking: 'none',
  refuses: CLAUDE_REFUSES,
  ...LISTED,
} as const satisfies Partial<ModelFacts>;
/** PDFs too: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-pdf-support.html */
const WITH_DOCUMENTS = { reads: ['image', 'document'] } as const;
const CLAUDE_3 = { ...CLAUDE, contextTokens: 200_000 } as const;
const CLAUDE_4_5 = {
  ...CLAUDE_3,
  ...WITH_DOCUMENTS,
  structuredOutput: true,
  thinking: 'budget',
  refuses: CLAUDE_4_1_REFUSES,
} as const;

const SONNET_3_PROFILES =
  'ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-1 ap-southeast-2 eu-central-1 eu-west-1 eu-west-3 us-east-1 us-west-2';
const CLAUDE_4_5_PROFILES =
  'ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ca-central-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2';
const CLAUDE_4_6_PROFILES = `${CLAUDE_4_5_PROFILES} af-south-1 ap-east-2 ap-southeast-5 ap-southeast-7 ca-west-1 il-central-1 me-central-1 me-south-1 mx-central-1`;

/** Anthropic's models that have batch inference. */
export const ANTHROPIC_MODELS: readonly ModelFacts[] = [
  {
    ...CLAUDE_3,
    id: 'anthropic.claude-3-haiku-20240307-v1:0',
    name: 'Claude 3 Haiku',
    batch: byPlainId(
      'ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1 eu-central-2 eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 us-west-2',
    ),
    maxTokens: 4096,
    price: batchPrice(0.125, 0.625),
  },
  {
    ...CLAUDE_3,
    id: 'anthropic.claude-3-sonnet-20240229-v1:0',
    name: 'Claude 3 Sonnet',
    batch: byEither(
      {
        plainIn:
          'ap-northeast-2 ap-south-1 ap-southeast-2 ca-central-1 eu-central-1 eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 us-west-2',
        profileIn: SONNET_3_PROFILES,
      },
      ['us', 'eu', 'apac'],
    ),
    maxTokens: 4096,
    price: batchPrice(1.5, 7.5),
  },
  {
    ...CLAUDE_3,
    id: 'anthropic.claude-3-opus-20240229-v1:0',
    name: 'Claude 3 Opus',
    batch: byEither({ plainIn: 'us-west-2', profileIn: 'us-east-1' }, ['us']),
    maxTokens: 4096,
    price: batchPrice(7.5, 37.5),
  },
  {
    ...CLAUDE_3,
    id: 'anthropic.claude-3-5-haiku-20241022-v1:0',
    name: 'Claude 3.5 Haiku',
    reads: [],
    batch: byEither({ plainIn: 'us-west-2', profileIn: 'us-east-1' }, ['us']),
    maxTokens: 8192,
    price: batchPrice(0.4, 2),
  },
  {
    ...CLAUDE_3,
    id: 'anthropic.claude-3-5-sonnet-20240620-v1:0',
    name: 'Claude 3.5 Sonnet',
    batch: byEither(
      {
        plainIn: 'ap-northeast-1 ap-northeast-2 ap-southeast-1 eu-central-1 us-east-1 us-east-2 us-west-2',
        profileIn: SONNET_3_PROFILES,
      },
      ['us', 'eu', 'apac'],
    ),
    maxTokens: 8192,
    price: batchPrice(1.5, 7.5),
  },
  {
    ...CLAUDE_3,
    ...WITH_DOCUMENTS,
    id: 'anthropic.claude-3-5-sonnet-20241022-v2:0',
    name: 'Claude 3.5 Sonnet v2',
    batch: byEither(
      {
        plainIn: 'us-west-2',
        profileIn:
          'ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2 us-east-1 us-east-2 us-west-2',
      },
      ['us', 'apac'],
    ),
    maxTokens: 8192,
    price: batchPrice(1.5, 7.5),
  },
  {
    ...CLAUDE_3,
    ...WITH_DOCUMENTS,
    id: 'anthropic.claude-3-7-sonnet-20250219-v1:0',
    name: 'Claude 3.7 Sonnet',
    batch: byProfile(
      'ap-northeast-1 ap-northeast-2 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2 eu-central-1 eu-north-1 eu-west-1 eu-west-3 us-east-1 us-east-2 us-west-2',
      ['us', 'eu', 'apac'],
    ),
    maxTokens: 64_000,
    price: batchPrice(1.5, 7.5),
    thinking: 'budget',
  },
  {
    ...CLAUDE_3,
    ...WITH_DOCUMENTS,
    id: 'anthropic.claude-sonnet-4-20250514-v1:0',
    name: 'Claude Sonnet 4',
    batch: byProfile(
      'ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-7 eu-central-1 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-3 il-central-1 me-central-1 us-east-1 us-east-2 us-west-1 us-west-2',
      ['us', 'eu', 'apac', 'global'],
    ),
    maxTokens: 64_000,
    price: batchPrice(1.5, 7.5),
    thinking: 'budget',
    note: 'Its end of life was 2026-10-14.',
  },
  {
    ...CLAUDE_4_5,
    id: 'anthropic.claude-haiku-4-5-20251001-v1:0',
    name: 'Claude Haiku 4.5',
    batch: byProfile(CLAUDE_4_5_PROFILES, ['us', 'eu', 'jp', 'au', 'global']),
    maxTokens: 64_000,
    price: regionalPrice(0.5, 2.5),
  },
  {
    ...CLAUDE_4_5,
    id: 'anthropic.claude-sonnet-4-5-20250929-v1:0',
    name: 'Claude Sonnet 4.5',
    batch: byProfile(
      `${CLAUDE_4_5_PROFILES} af-south-1 ca-west-1 me-south-1 mx-central-1 us-gov-east-1 us-gov-west-1`,
      ['us', 'eu', 'jp', 'au', 'us-gov', 'global'],
    ),
    maxTokens: 64_000,
    price: regionalPrice(1.5, 7.5),
  },
  {
    ...CLAUDE_4_5,
    id: 'anthropic.claude-opus-4-5-20251101-v1:0',
    name: 'Claude Opus 4.5',
    batch: byProfile(CLAUDE_4_5_PROFILES, ['us', 'eu', 'global']),
    maxTokens: 64_000,
    price: regionalPrice(2.5, 12.5),
  },
  {
    ...CLAUDE_4_5,
    id: 'anthropic.claude-opus-4-6-v1',
    name: 'Claude Opus 4.6',
    batch: byProfile(CLAUDE_4_6_PROFILES, ['us', 'eu', 'au', 'global']),
    maxTokens: 128_000,
    price: regionalPrice(2.5, 12.5),
    thinking: 'adaptive',
  },
  {
    ...CLAUDE_4_5,
    id: 'anthropic.claude-sonnet-4-6',
    name: 'Claude Sonnet 4.6',
    batch: byEither({ plainIn: 'eu-west-2', profileIn: CLAUDE_4_6_PROFILES }, [
      'us',
      'eu',
      'au',
      'jp',
      'global',
    ]),
    price: regionalPrice(1.5, 7.5),
    thinking: 'adaptive',
  },
  {
    ...CLAUDE_3,
    id: 'anthropic.claude-opus-5',
    name: 'Claude Opus 5',
    contextTokens: 1_000_000,
    batch: byProfile(`${CLAUDE_4_6_PROFILES} ap-southeast-6`, ['us', 'eu', 'au', 'global']),
    maxTokens: 128_000,
    price: regionalPrice(2.5, 12.5),
    thinking: 'adaptive-by-default',
    refuses: CLAUDE_5_REFUSES,
  },
];

/** What any Claude has that no row tells of. */
export const UNKNOWN_CLAUDE: ModelFacts = {
  ...CLAUDE,
  id: 'anthropic.claude-*',
  name: 'another Claude',
  batch: { kind: 'unknown' },
  refuses: { temperatureOver: 1 },
};

/** Anthropic's models without batch inference, and what each refuses on demand. */
export const CLAUDE_WITHOUT_BATCH: readonly ModelFacts[] = [
  without('anthropic.claude-opus-4-20250514*', 'Claude Opus 4', 'anthropic.claude-opus-4-6-v1', {
    maxTokens: 32_000,
    thinking: 'budget',
  }),
  without('anthropic.claude-opus-4-1*', 'Claude Opus 4.1', 'anthropic.claude-opus-4-6-v1', {
    maxTokens: 32_000,
    thinking: 'budget',
    refuses: CLAUDE_4_1_REFUSES,
  }),
  ...(
    [
      ['opus-4-7', 'Claude Opus 4.7', 'anthropic.claude-opus-5'],
      ['opus-4-8', 'Claude Opus 4.8', 'anthropic.claude-opus-5'],
      ['sonnet-5', 'Claude Sonnet 5', 'anthropic.claude-sonnet-4-6'],
      ['sonnet-5-5', 'Claude Sonnet 5.5', 'anthropic.claude-sonnet-4-6'],
      ['haiku-5-5', 'Claude Haiku 5.5', 'anthropic.claude-haiku-4-5-20251001-v1:0'],
    ] as const
  ).map(([id, name, instead]) =>
    without(`anthropic.claude-${id}*`, name, instead, {
      thinking: 'adaptive-by-default',
      refuses: CLAUDE_5_REFUSES,
    }),
  ),
  {
    ...CLAUDE,
    id: 'anthropic.claude-opus-5-5*',
    name: 'Claude Opus 5.5',
    batch: { kind: 'unknown' },
    thinking: 'adaptive-by-default',
    refuses: CLAUDE_5_REFUSES,
    note: 'On Bedrock since about 2026-09-23; nobody has told yet whether it has batch inference.',
  },
  without('anthropic.claude-fable*', 'Claude Fable', 'anthropic.claude-opus-5', { thinking: 'always' }),
  without('anthropic.claude-mythos*', 'Claude Mythos', 'anthropic.claude-opus-5', { thinking: 'always' }),
  without('anthropic.claude-v2*', 'Claude 2', 'anthropic.claude-haiku-4-5-20251001-v1:0', { reads: [] }),
  without('anthropic.claude-instant*', 'Claude Instant', 'anthropic.claude-haiku-4-5-20251001-v1:0', {
    reads: [],
  }),
];

function without(id: string, name: string, instead: string, more: Partial<ModelFacts>): ModelFacts {
  return { ...CLAUDE, id, name, batch: notListed(instead), ...more };
}

/** Claude 4.5 and later cost a tenth more through a region or a regional profile than through `global.`. */
function regionalPrice(input: number, output: number): BatchPrice {
  return { ...batchPrice(input, output), regional: { input: input * 1.1, output: output * 1.1 } };
}
