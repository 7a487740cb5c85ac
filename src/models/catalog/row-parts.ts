import type { BatchPrice, BatchSupport } from './model-facts.ts';

/** The page that says which models have batch inference, and where. */
export const BATCH_LIST =
  'https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-supported.html';

/** What every row says that was read there. */
export const LISTED = { source: BATCH_LIST, date: '2026-10' } as const;

/** Where models of open weights are: the first ones, more of them, and nearly all. */
export const SEVEN_REGIONS =
  'ap-northeast-1 ap-south-1 ap-southeast-2 sa-east-1 us-east-1 us-east-2 us-west-2';
export const TEN_REGIONS = `${SEVEN_REGIONS} eu-south-1 eu-west-1 eu-west-2`;
export const THIRTEEN_REGIONS = `${TEN_REGIONS} ap-southeast-3 eu-central-1 eu-north-1`;

/** Batch inference by the plain id only, in these regions, one space between them. */
export function byPlainId(regions: string): BatchSupport {
  return { kind: 'yes', plainIn: namesIn(regions), profileIn: [], profiles: [] };
}

/** Batch inference through inference profiles only. */
export function byProfile(regions: string, profiles: readonly string[]): BatchSupport {
  return { kind: 'yes', plainIn: [], profileIn: namesIn(regions), profiles };
}

/** Batch inference by the plain id in some regions, through profiles in some. */
export function byEither(
  { plainIn, profileIn }: { plainIn: string; profileIn: string },
  profiles: readonly string[],
): BatchSupport {
  return { kind: 'yes', plainIn: namesIn(plainIn), profileIn: namesIn(profileIn), profiles };
}

/** No batch inference, as AWS's list has not got the model; `instead` is the row of the nearest one that has. */
export function notListed(instead?: string): BatchSupport {
  const reason = 'is not on AWS’s list of models with batch inference';
  return { kind: 'no', reason, ...(instead === undefined ? {} : { instead }) };
}

/** A price of the page as it was in autumn 2026, in dollars for a million tokens. */
export function batchPrice(input: number, output: number): BatchPrice {
  return {
    batch: { input, output },
    source: 'https://aws.amazon.com/bedrock/pricing/',
    date: '2026-09-30',
  };
}

function namesIn(text: string): readonly string[] {
  return text.split(' ').toSorted();
}
