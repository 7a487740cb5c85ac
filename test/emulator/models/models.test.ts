import { ConverseCommand, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime';
import { expect, test } from 'vitest';
import { converseBodies } from '../../../src/emulator/models/converse-bodies.ts';
import { type EmulatedModel, findEmulatedModel } from '../../../src/emulator/models/model-catalog.ts';
import {
  simulate,
  simulatedAnswer,
  simulatedEmbedding,
} from '../../../src/emulator/models/simulated-model.ts';
import { pngOf } from '../../support/images.ts';
import { CLAUDE, NOVA, openBench } from '../emulator-bench.ts';

const ACCOUNT = { accountId: '123456789012', region: 'us-east-1', applicationProfiles: {} };
const TITAN = 'amazon.titan-embed-text-v2:0';
const LLAMA = 'us.meta.llama3-3-70b-instruct-v1:0';
const GPT = 'openai.gpt-oss-20b-1:0';
const OPUS = 'global.anthropic.claude-opus-5';
const claudeBody = {
  anthropic_version: 'bedrock-2023-05-31',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Hi' }],
};
const novaBody = { messages: [{ role: 'user', content: [{ text: 'Hi' }] }] };

function answer(modelId: string, body: Record<string, unknown>, asConverse = false): unknown {
  const model: EmulatedModel = findEmulatedModel(modelId, ACCOUNT);
  const family = asConverse ? converseBodies : model.family;
  const request = family.readRequest(body, model, true);
  if (request.kind === 'refusal') return request.errorMessage;
  return family.writeAnswer(simulate(request, model), {
    model,
    request,
    digest: () => 'd',
    atMs: 5000,
    inBatch: false,
  });
}

test.each([
  [CLAUDE, claudeBody, { content: [{ type: 'text' }], stop_reason: 'end_turn', usage: { input_tokens: 1 } }],
  [NOVA, novaBody, { stopReason: 'end_turn', usage: { inputTokens: 1 } }],
  [LLAMA, { prompt: 'Hi' }, { stop_reason: 'stop', prompt_token_count: 1 }],
  [
    'mistral.mistral-7b-instruct-v0:2',
    { prompt: '<s>[INST] Hi [/INST]' },
    { outputs: [{ stop_reason: 'stop' }] },
  ],
  [
    'qwen.qwen3-32b-v1:0',
    { messages: [{ role: 'user', content: 'Hi' }] },
    { choices: [{ finish_reason: 'stop' }], created: 5, usage: { prompt_tokens: 1 } },
  ],
])('%s answers in the form of its family, labelled as simulated', (modelId, body, form) => {
  const output = answer(modelId, body);
  expect(output).toMatchObject(form);
  expect(JSON.stringify(output)).toContain(JSON.stringify(simulatedAnswer(modelId, 'Hi')).slice(1, -1));
});

test('the prompt is found between the special tokens of Llama', () => {
  const prompt =
    '<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n';
  expect(answer(LLAMA, { prompt })).toMatchObject({ generation: simulatedAnswer(LLAMA, 'Why?') });
});

test('a small limit of tokens cuts the text, and the stop reason says so', () => {
  expect(answer(CLAUDE, { ...claudeBody, max_tokens: 5 })).toMatchObject({
    content: [{ text: '[simulated us.anthro' }],
    stop_reason: 'max_tokens',
    usage: { output_tokens: 5 },
  });
  expect(answer(LLAMA, { prompt: 'Hi', max_gen_len: 1 })).toMatchObject({
    stop_reason: 'length',
    generation_token_count: 1,
  });
  expect(
    answer(GPT, { messages: [{ role: 'user', content: 'Hi' }], max_completion_tokens: 3 }),
  ).toMatchObject({
    choices: [{ finish_reason: 'length', message: { content: '<reasoning>[simulated r</reasoning>' } }],
  });
});

test('a stop sequence ends the text before it', () => {
  expect(answer(CLAUDE, { ...claudeBody, stop_sequences: ['prompt'] })).toMatchObject({
    stop_reason: 'stop_sequence',
    stop_sequence: 'prompt',
  });
});

test('gpt-oss puts its reasoning before the answer, and Converse in a block of its own', () => {
  const body = {
    messages: [
      { role: 'developer', content: [{ type: 'text', text: 'Be nice' }] },
      { role: 'user', content: 'Hi' },
    ],
  };
  expect(JSON.stringify(answer(GPT, body))).toMatch(
    /"<reasoning>\[simulated reasoning\].*<\/reasoning>\[simulated openai/,
  );
  expect(answer(GPT, novaBody, true)).toMatchObject({
    output: { message: { content: [{ reasoningContent: {} }, { text: simulatedAnswer(GPT, 'Hi') }] } },
  });
});

test.each([
  [
    CLAUDE,
    { ...claudeBody, anthropic_version: 'x' },
    "anthropic_version: Input should be 'bedrock-2023-05-31'",
  ],
  [CLAUDE, { ...claudeBody, max_tokens: undefined }, 'max_tokens: Field required'],
  [CLAUDE, { ...claudeBody, max_tokens: 'x' }, 'max_tokens: Input should be a valid integer'],
  [CLAUDE, { ...claudeBody, max_tokens: 0 }, 'max_tokens: Input should be greater than or equal to 1'],
  [
    CLAUDE,
    { ...claudeBody, max_tokens: 64_001 },
    'max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for claude-haiku-4-5-20251001',
  ],
  [CLAUDE, { ...claudeBody, modelId: 'x' }, 'modelId: Extra inputs are not permitted'],
  [
    CLAUDE,
    { ...claudeBody, temperature: 0, top_p: 1 },
    '`temperature` and `top_p` cannot both be specified for this model. Please use only one.',
  ],
  [CLAUDE, { ...claudeBody, temperature: 2 }, 'temperature: range: 0..1'],
  [CLAUDE, { ...claudeBody, temperature: 'x' }, 'temperature: Input should be a valid number'],
  [OPUS, { ...claudeBody, temperature: 0.5 }, '`temperature` is deprecated for this model.'],
  [CLAUDE, { ...claudeBody, messages: undefined }, 'messages: Field required'],
  [CLAUDE, { ...claudeBody, messages: 'x' }, 'messages: Input should be a valid list'],
  [CLAUDE, { ...claudeBody, messages: [] }, 'messages: at least one message is required'],
  [CLAUDE, { ...claudeBody, messages: ['x'] }, 'messages.0: Input should be a valid dictionary'],
  [CLAUDE, { ...claudeBody, messages: [{}] }, 'messages.0.role: Field required'],
  [
    CLAUDE,
    { ...claudeBody, messages: [{ role: 'system' }] },
    "messages.0.role: Input should be 'user' or 'assistant'",
  ],
  [
    CLAUDE,
    { ...claudeBody, messages: [{ role: 'assistant' }] },
    'messages: first message must use the "user" role',
  ],
  [CLAUDE, { ...claudeBody, messages: [{ role: 'user' }] }, 'messages.0.content: Field required'],
  [
    CLAUDE,
    { ...claudeBody, messages: [{ role: 'user', content: '' }] },
    'messages: text content blocks must be non-empty',
  ],
  [
    CLAUDE,
    { ...claudeBody, messages: [{ role: 'user', content: 5 }] },
    'messages.0.content: Input should be a valid list',
  ],
  [
    CLAUDE,
    { ...claudeBody, messages: [{ role: 'user', content: [] }] },
    'messages.0.content: at least one block is required',
  ],
  [
    CLAUDE,
    { ...claudeBody, messages: [{ role: 'user', content: [5] }] },
    'messages.0.content.0: Input should be a valid dictionary',
  ],
  [
    CLAUDE,
    { ...claudeBody, messages: [{ role: 'user', content: [{ text: 'x' }] }] },
    'messages.0.content.0.type: Field required',
  ],
  [
    CLAUDE,
    { ...claudeBody, messages: [{ role: 'user', content: [{ type: 'text' }] }] },
    'messages.0.content.0.text.text: Field required',
  ],
  [
    CLAUDE,
    { ...claudeBody, messages: [{ role: 'user', content: [{ type: 'text', text: '' }] }] },
    'messages: text content blocks must be non-empty',
  ],
  [CLAUDE, { ...claudeBody, system: 5 }, 'system: Input should be a valid list'],
])('%s refuses a body in the words of the real model: %j', (modelId, body, message) => {
  expect(answer(modelId, body)).toBe(message);
});

test.each([
  [NOVA, {}, '#: required key [messages] not found'],
  [NOVA, { ...novaBody, modelId: 'x' }, '#: extraneous key [modelId] is not permitted'],
  [NOVA, { ...novaBody, schemaVersion: 'v2' }, '#/schemaVersion: v2 is not a valid enum value'],
  [NOVA, { messages: 'x' }, '#/messages: expected type: JSONArray, found: String'],
  [NOVA, { messages: [] }, '#/messages: expected minimum item count: 1, found: 0'],
  [NOVA, { messages: [null] }, '#/messages/0: expected type: JSONObject, found: Null'],
  [NOVA, { messages: [{}] }, '#/messages/0: required key [role] not found'],
  [NOVA, { messages: [{ role: 'x' }] }, '#/messages/0/role: x is not a valid enum value'],
  [NOVA, { messages: [{ role: 'user' }] }, '#/messages/0: required key [content] not found'],
  [
    NOVA,
    { messages: [{ role: 'user', content: 'Hi' }] },
    '#/messages/0/content: expected type: JSONArray, found: String',
  ],
  [
    NOVA,
    { messages: [{ role: 'user', content: [] }] },
    '#/messages/0/content: expected minimum item count: 1, found: 0',
  ],
  [
    NOVA,
    { messages: [{ role: 'user', content: [true] }] },
    '#/messages/0/content/0: expected type: JSONObject, found: Boolean',
  ],
  [
    NOVA,
    { messages: [{ role: 'user', content: [{ text: 1.5 }] }] },
    '#/messages/0/content/0/text: expected type: String, found: Double',
  ],
  [NOVA, { ...novaBody, system: {} }, '#/system: expected type: JSONArray, found: JSONObject'],
  [
    NOVA,
    { ...novaBody, inferenceConfig: [] },
    '#/inferenceConfig: expected type: JSONObject, found: JSONArray',
  ],
  [
    NOVA,
    { ...novaBody, inferenceConfig: { max: 1 } },
    '#/inferenceConfig: extraneous key [max] is not permitted',
  ],
  [
    NOVA,
    { ...novaBody, inferenceConfig: { maxTokens: 10_001 } },
    '#/inferenceConfig/maxTokens: 10001 is not less or equal to 10000',
  ],
  [
    NOVA,
    { ...novaBody, inferenceConfig: { max_new_tokens: 0 } },
    '#/inferenceConfig/max_new_tokens: 0 is not greater or equal to 1',
  ],
  [
    NOVA,
    { ...novaBody, inferenceConfig: { maxTokens: '1' } },
    '#/inferenceConfig/maxTokens: expected type: Integer, found: String',
  ],
  [
    NOVA,
    { ...novaBody, inferenceConfig: { temperature: 2 } },
    '#/inferenceConfig/temperature: 2 is not less or equal to 1',
  ],
  [
    NOVA,
    { ...novaBody, inferenceConfig: { topP: -1 } },
    '#/inferenceConfig/topP: -1 is not greater or equal to 0',
  ],
  [
    NOVA,
    { ...novaBody, inferenceConfig: { top_p: 'x' } },
    '#/inferenceConfig/top_p: expected type: Number, found: String',
  ],
  [TITAN, {}, '#: required key [inputText] not found'],
  [TITAN, { inputText: ['a'] }, '#/inputText: expected type: String, found: JSONArray'],
  [TITAN, { inputText: '' }, '#/inputText: expected minLength: 1, actual: 0'],
  [TITAN, { inputText: 'x'.repeat(50_001) }, '#/inputText: expected maxLength: 50000, actual: 50001'],
  [TITAN, { inputText: 'a', dimensions: 300 }, '#/dimensions: 300 is not a valid enum value'],
  [TITAN, { inputText: 'a', normalize: 1 }, '#/normalize: expected type: Boolean, found: Integer'],
  [TITAN, { inputText: 'a', embeddingTypes: ['int8'] }, '#/embeddingTypes/0: int8 is not a valid enum value'],
  [TITAN, { inputText: 'a', usage: 1 }, '#: extraneous key [usage] is not permitted'],
  ['amazon.titan-embed-image-v1', { inputText: 5 }, '#/inputText: expected type: String, found: Integer'],
  ['amazon.titan-embed-image-v1', { inputImage: 5 }, '#/inputImage: expected type: String, found: Integer'],
  ['amazon.titan-embed-image-v1', { text: 5 }, '#: extraneous key [text] is not permitted'],
  [
    'amazon.titan-embed-image-v1',
    { inputText: 'a', embeddingConfig: { outputEmbeddingLength: 5 } },
    '#/embeddingConfig/outputEmbeddingLength: 5 is not a valid enum value',
  ],
  [LLAMA, {}, '#: required key [prompt] not found'],
  [LLAMA, { prompt: 5 }, '#/prompt: expected type: String, found: Integer'],
  [LLAMA, { prompt: '' }, '#/prompt: expected minLength: 1, actual: 0'],
  [LLAMA, { prompt: 'a', max_tokens: 5 }, '#: extraneous key [max_tokens] is not permitted'],
  [LLAMA, { prompt: 'a', max_gen_len: 8193 }, '#/max_gen_len: 8193 is not less or equal to 8192'],
  [LLAMA, { prompt: 'a', max_gen_len: 0 }, '#/max_gen_len: 0 is not greater or equal to 1'],
  [LLAMA, { prompt: 'a', max_gen_len: 'x' }, '#/max_gen_len: expected type: Integer, found: String'],
  ['mistral.mixtral-8x7b-instruct-v0:1', { prompt: 'a', x: 1 }, '#: extraneous key [x] is not permitted'],
])('%s refuses a body that breaks its schema: %j', (modelId, body, detail) => {
  expect(answer(modelId, body)).toBe(
    `Malformed input request: ${detail}, please reformat your input and try again.`,
  );
});

test.each([
  [{}, 'Field required'],
  [{ messages: [] }, 'at least one message is required'],
  [{ messages: ['x'] }, 'messages[0]: expected an object'],
  [{ messages: [{ role: 'x' }] }, '"x" is not a known role'],
  [{ messages: [{ role: 'user', content: 5 }] }, 'messages[0].content: expected a string'],
  [{ messages: [{ role: 'user', content: null }], stream: true }, 'stream: only false'],
  [{ messages: [{ role: 'user', content: null }], model: 'gpt-5' }, 'does not match the requested model'],
  [{ messages: [{ role: 'user', content: null }], max_tokens: 0 }, 'must be at least 1'],
  [{ messages: [{ role: 'user', content: null }], max_tokens: 200_000 }, 'exceeds the model limit of 128000'],
])('a chat completion model refuses %j', (body, message) => {
  expect(answer(GPT, body)).toContain(message);
});

test.each([
  [NOVA, { ...novaBody, modelId: NOVA }, 'extraneous key [modelId]'],
  [NOVA, { ...novaBody, toolConfig: {} }, 'Tool use is not supported'],
  [NOVA, { messages: [{ role: 'assistant', content: [{ text: 'Hi' }] }] }, 'must start with a user message'],
  [
    NOVA,
    { messages: [{ role: 'user', content: [{ text: 'a' }, { text: ' \n' }] }] },
    'The text field in the ContentBlock object at messages.0.content.1 is blank. Add text to the text field, and try again.',
  ],
  [NOVA, { messages: [{ role: 'user', content: [{ text: '' }] }] }, 'at messages.0.content.0 is blank'],
  [CLAUDE, { ...novaBody, system: [{}, 5] }, '#/system/1: expected type: JSONObject'],
  [NOVA, { ...novaBody, inferenceConfig: 5 }, 'expected type: JSONObject'],
  [NOVA, { ...novaBody, inferenceConfig: { max_tokens: 5 } }, 'extraneous key [max_tokens]'],
  [NOVA, { ...novaBody, inferenceConfig: { maxTokens: 0 } }, 'greater than or equal to 1'],
  [NOVA, { ...novaBody, inferenceConfig: { maxTokens: 10_001 } }, 'exceeds the model limit of 10000'],
  [
    CLAUDE,
    { ...novaBody, inferenceConfig: { temperature: 1, topP: 1 } },
    'The model returned the following errors: `temperature` and `top_p`',
  ],
  [NOVA, {}, 'required key [messages]'],
])('Converse with %s refuses %j', (modelId, body, message) => {
  expect(answer(modelId, body, true)).toContain(message);
});

test('an embedding has length one, and depends on its text alone', () => {
  const { embedding, embeddingsByType, ...rest } = answer(TITAN, { inputText: 'Hello', dimensions: 256 }) as {
    embedding: number[];
    embeddingsByType: { float: number[] };
  };
  expect(embedding).toHaveLength(256);
  expect(Math.hypot(...embedding)).toBeCloseTo(1, 6);
  expect(embedding).toEqual(simulatedEmbedding(TITAN, 'Hello', { dimensions: 256 }));
  expect(embedding).not.toEqual(simulatedEmbedding(TITAN, 'Hello!', { dimensions: 256 }));
  expect(embeddingsByType).toEqual({ float: embedding });
  expect(rest).toEqual({ inputTextTokenCount: 2 });
});

test('binary embeddings come instead of floats where they alone are asked for', () => {
  const output = answer(TITAN, {
    inputText: 'Hello',
    dimensions: 256,
    normalize: false,
    embeddingTypes: ['binary'],
  });
  expect(Object.keys(output as object)).toEqual(['embeddingsByType', 'inputTextTokenCount']);
  const inputImage = pngOf(4, 4).toString('base64');
  expect(answer('amazon.titan-embed-image-v1', { inputImage })).toMatchObject({
    inputTextTokenCount: 0,
    message: null,
  });
  expect(answer('amazon.titan-embed-image-v1', {})).toBe('Either inputText or inputImage must be provided.');
  expect(answer(TITAN, { inputText: 'x'.repeat(40_000) })).toContain(
    'Too many input tokens. Max input tokens: 8192',
  );
});

test('what a record would get as an error is a ValidationException on demand', async () => {
  await using bench = await openBench();
  const invoke = (modelId: string, body: string) =>
    bench.runtime.send(new InvokeModelCommand({ modelId, body }));
  await expect(invoke(CLAUDE, '{}')).rejects.toMatchObject({
    name: 'ValidationException',
    message: 'anthropic_version: Field required',
  });
  await expect(invoke(CLAUDE, '{')).rejects.toMatchObject({ name: 'ValidationException' });
  await expect(invoke(CLAUDE, '[]')).rejects.toMatchObject({ name: 'ValidationException' });
  await expect(invoke('acme.x', '{}')).rejects.toMatchObject({
    message: 'The provided model identifier is invalid.',
  });
  await expect(
    bench.runtime.send(
      new ConverseCommand({ modelId: TITAN, messages: [{ role: 'user', content: [{ text: 'Hi' }] }] }),
    ),
  ).rejects.toMatchObject({ message: expect.stringContaining("doesn't support the model") });
  expect((await bench.emulator.usage()).onDemand.calls).toBe(0);
});

test('InvokeModel tells its tokens in headers', async () => {
  await using bench = await openBench();
  const response = await fetch(`${bench.emulator.url}/model/${encodeURIComponent(CLAUDE)}/invoke`, {
    method: 'POST',
    body: JSON.stringify(claudeBody),
  });
  expect(response.headers.get('x-amzn-bedrock-input-token-count')).toBe('1');
  expect(Number(response.headers.get('x-amzn-bedrock-output-token-count'))).toBeGreaterThan(10);
  expect(response.headers.get('content-type')).toBe('application/json');
});
