import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/text/json-value.ts';
import { createAnswerer } from '../../../src/emulator/models/answerer.ts';
import { findEmulatedModel } from '../../../src/emulator/models/model-catalog.ts';
import { createModelServers } from '../../../src/emulator/models/model-servers.ts';

const ACCOUNT = { accountId: '123456789012', region: 'us-east-1', applicationProfiles: {} };
const NOVA = 'us.amazon.nova-micro-v1:0';
const CLAUDE = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';
const GPT = 'openai.gpt-oss-20b-1:0';
const claudeBody = {
  anthropic_version: 'bedrock-2023-05-31',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Hi' }],
};
const novaBody = { messages: [{ role: 'user', content: [{ text: 'Hi' }] }] };

function ask(modelId: string, body: JsonObject, invocationType: 'InvokeModel' | 'Converse' = 'InvokeModel') {
  const model = findEmulatedModel(modelId, ACCOUNT);
  return createAnswerer(createModelServers({})).answer({
    model,
    invocationType,
    body,
    bodyText: '',
    atMs: 0,
    inBatch: true,
    server: undefined,
  });
}

test('Converse takes an empty list of system blocks, which langchain-aws always sends', () => {
  expect(ask(NOVA, { ...novaBody, system: [] }, 'Converse')).toMatchObject({ kind: 'answer' });
  expect(ask(NOVA, { ...novaBody, system: [] })).toMatchObject({
    errorMessage: expect.stringContaining('#/system: expected minimum item count: 1'),
  });
});

test.each([
  [CLAUDE, { ...claudeBody, messages: [{ role: 'user', content: ' \t\n' }] }, 'non-whitespace text'],
  [
    CLAUDE,
    { ...claudeBody, messages: [{ role: 'user', content: [{ type: 'text', text: '\u00a0' }] }] },
    'messages: text content blocks must contain non-whitespace text',
  ],
  [NOVA, { messages: [{ role: 'user', content: [{ text: '  ' }] }] }, 'messages.0.content.0 is blank'],
])('%s refuses a prompt of white space alone: %j', (modelId, body, message) => {
  expect(ask(modelId, body)).toMatchObject({ errorMessage: expect.stringContaining(message) });
});

test.each([
  [CLAUDE, 200_000, 'prompt is too long: 200001 tokens > 200000 maximum'],
  [
    NOVA,
    128_000,
    'Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try again.',
  ],
  [
    GPT,
    131_072,
    "This model's maximum context length is 131072 tokens. Please reduce the length of the prompt",
  ],
])('%s refuses a prompt of more than its context of %i tokens', (modelId, tokens, message) => {
  const converse = (text: string) =>
    ask(modelId, { messages: [{ role: 'user', content: [{ text }] }] }, 'Converse');
  expect(converse('x'.repeat(4 * tokens))).toMatchObject({ kind: 'answer' });
  expect(converse('x'.repeat(4 * tokens + 1))).toEqual({
    kind: 'refusal',
    errorCode: 400,
    errorMessage: `The model returned the following errors: ${message}`,
  });
});
