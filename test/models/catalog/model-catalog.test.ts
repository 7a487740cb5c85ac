import { describe, expect, test } from 'vitest';
import { findAdapter, MODEL_ADAPTERS } from '../../../src/models/adapters/find-adapter.ts';
import {
  batchModelPatterns,
  factsOf,
  idsOf,
  MODEL_CATALOG,
} from '../../../src/models/catalog/model-catalog.ts';
import { parseModelId } from '../../../src/models/catalog/model-id.ts';

/** AWS's list of models with batch inference, as its page had it in autumn 2026. */
const LISTED = `amazon.nova-2-multimodal-embeddings-v1:0 amazon.nova-2-lite-v1:0 amazon.nova-lite-v1:0
amazon.nova-micro-v1:0 amazon.nova-premier-v1:0 amazon.nova-pro-v1:0 amazon.titan-embed-image-v1
amazon.titan-embed-text-v2:0 anthropic.claude-3-haiku-20240307-v1:0 anthropic.claude-3-opus-20240229-v1:0
anthropic.claude-3-sonnet-20240229-v1:0 anthropic.claude-3-5-haiku-20241022-v1:0
anthropic.claude-3-5-sonnet-20240620-v1:0 anthropic.claude-3-5-sonnet-20241022-v2:0
anthropic.claude-3-7-sonnet-20250219-v1:0 anthropic.claude-haiku-4-5-20251001-v1:0
anthropic.claude-opus-4-5-20251101-v1:0 anthropic.claude-opus-4-6-v1 anthropic.claude-opus-5
anthropic.claude-sonnet-4-20250514-v1:0 anthropic.claude-sonnet-4-5-20250929-v1:0 anthropic.claude-sonnet-4-6
deepseek.v3.2 deepseek.v3-v1:0 google.gemma-3-12b-it google.gemma-3-27b-it google.gemma-3-4b-it
meta.llama3-1-405b-instruct-v1:0 meta.llama3-1-70b-instruct-v1:0 meta.llama3-1-8b-instruct-v1:0
meta.llama3-2-11b-instruct-v1:0 meta.llama3-2-1b-instruct-v1:0 meta.llama3-2-3b-instruct-v1:0
meta.llama3-2-90b-instruct-v1:0 meta.llama3-3-70b-instruct-v1:0 meta.llama4-maverick-17b-instruct-v1:0
meta.llama4-scout-17b-instruct-v1:0 minimax.minimax-m2 minimax.minimax-m2.1 mistral.devstral-2-123b
mistral.magistral-small-2509 mistral.ministral-3-14b-instruct mistral.ministral-3-8b-instruct
mistral.ministral-3-3b-instruct mistral.mistral-large-2407-v1:0 mistral.mistral-large-3-675b-instruct
mistral.mistral-small-2402-v1:0 mistral.voxtral-mini-3b-2507 mistral.voxtral-small-24b-2507
moonshot.kimi-k2-thinking moonshotai.kimi-k2.5 nvidia.nemotron-nano-12b-v2 nvidia.nemotron-nano-9b-v2
nvidia.nemotron-nano-3-30b openai.gpt-oss-safeguard-120b openai.gpt-oss-safeguard-20b openai.gpt-oss-120b-1:0
openai.gpt-oss-20b-1:0 qwen.qwen3-235b-a22b-2507-v1:0 qwen.qwen3-32b-v1:0 qwen.qwen3-coder-480b-a35b-v1:0
qwen.qwen3-coder-next qwen.qwen3-next-80b-a3b qwen.qwen3-vl-235b-a22b qwen.qwen3-coder-30b-a3b-v1:0
zai.glm-4.7 zai.glm-4.7-flash`.split(/\s+/);

const withBatch = MODEL_CATALOG.filter(({ batch }) => batch.kind === 'yes');

test('every model of AWS’s list has batch in the catalogue, and no other has', () => {
  expect(withBatch.map(({ id }) => id).toSorted()).toEqual(LISTED.toSorted());
});

test('no two rows are of the same id, and every row tells its source and its day', () => {
  expect(new Set(MODEL_CATALOG.map(({ id }) => id)).size).toBe(MODEL_CATALOG.length);
  for (const { source, date, price } of MODEL_CATALOG) {
    expect([source, ...(price === undefined ? [] : [price.source])].join(' ')).toMatch(
      /^https:\S+( https:\S+)?$/,
    );
    expect([date, price?.date ?? date].join(' ')).toMatch(/^\d{4}-\d\d(-\d\d)? \d{4}-\d\d(-\d\d)?$/);
  }
});

describe.each(withBatch)('$id', (facts) => {
  test('can be written in some way that is a model id, and is found again by each', () => {
    const ids = idsOf(facts).filter((id) => id.split('.').length <= 3);
    expect(ids.length).toBeGreaterThan(0);
    for (const id of ids) expect(factsOf(parseModelId(id).baseModelId)).toBe(facts);
  });

  test('is reached by plain id or profile, in regions that are there once and look like regions', () => {
    const { batch } = facts;
    if (batch.kind !== 'yes') throw new Error('has no batch');
    for (const regions of [batch.plainIn, batch.profileIn]) {
      expect(new Set(regions).size).toBe(regions.length);
      for (const region of regions) expect(region).toMatch(/^[a-z]{2}(-gov)?-[a-z]+-\d$/);
    }
    expect(batch.plainIn.length + batch.profileIn.length).toBeGreaterThan(0);
    expect(batch.profiles.length > 0).toBe(batch.profileIn.length > 0);
  });

  test.skipIf(facts.output === 'embedding')('has one adapter of its own, or Converse', () => {
    const claims = MODEL_ADAPTERS.filter((adapter) => adapter.matches(facts));
    expect(claims.length).toBeLessThanOrEqual(2);
    expect(findAdapter(idsOf(facts)[0] ?? '')).toBe(claims[0]);
  });
});

test('a model without batch names one that has it, where one is near', () => {
  for (const { batch } of MODEL_CATALOG) {
    if (batch.kind !== 'no' || batch.instead === undefined) continue;
    expect(factsOf(batch.instead)?.batch.kind).toBe('yes');
    expect(factsOf(batch.instead)?.id).toBe(batch.instead);
  }
});

test.each([
  ['amazon.nova-lite-v1:0:300k', 'amazon.nova-lite-v1:0'],
  ['anthropic.claude-opus-5-v1:0', 'anthropic.claude-opus-5'],
  ['anthropic.claude-opus-5-5', 'anthropic.claude-opus-5-5*'],
  ['anthropic.claude-haiku-5-5-20260901-v1:0', 'anthropic.claude-haiku-5-5*'],
  ['anthropic.claude-sonnet-5-5', 'anthropic.claude-sonnet-5-5*'],
  ['anthropic.claude-9', 'anthropic.claude-*'],
  ['amazon.titan-embed-text-v1', 'amazon.titan-embed-text-v1*'],
  ['zai.glm-4.7-flash', 'zai.glm-4.7-flash'],
  ['zai.glm-9', 'zai.*'],
])('%s is known by the row %s', (id, row) => {
  expect(factsOf(id)?.id).toBe(row);
});

test('of ids that are like nothing known, nothing is', () => {
  expect(factsOf('nobody.unheard-of-v1:0')).toBeUndefined();
  expect(factsOf(undefined)).toBeUndefined();
});

test('the patterns of models with batch are one for each provider, and Amazon’s by family', () => {
  expect(batchModelPatterns()).toEqual([
    'amazon.nova-*',
    'amazon.titan-embed-*',
    'anthropic.*',
    'deepseek.*',
    'google.*',
    'meta.*',
    'minimax.*',
    'mistral.*',
    'moonshot.*',
    'moonshotai.*',
    'nvidia.*',
    'openai.*',
    'qwen.*',
    'zai.*',
  ]);
});
