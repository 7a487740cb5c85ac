import { expect, test } from 'vitest';
import { parseRunInput } from '../../../src/core/run-input/run-input.ts';
import { modelCallOf } from '../../../src/steps/plan/model-call.ts';

const callOf = (keys: object) => modelCallOf(parseRunInput({ s3_uri: 's3://bucket/a.csv', ...keys }));
const TEXT_MODEL = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';
const EMBEDDING_MODEL = 'amazon.titan-embed-text-v2:0';

test('a text model needs a prompt', () => {
  expect(() => callOf({ model_id: TEXT_MODEL })).toThrow(
    `${TEXT_MODEL} is a text model: give prompt_id or prompt_template, or prompt_id_column.`,
  );
  expect(() => callOf({ model_id: TEXT_MODEL, prompt_id: null })).toThrow(
    'give prompt_id or prompt_template',
  );
});

test('a text model takes no text_column, and an embedding model no prompt', () => {
  expect(() => callOf({ model_id: TEXT_MODEL, prompt_template: '{a}', text_column: 'a' })).toThrow(
    `text_column: ${TEXT_MODEL} is a text model; only embeddings read a text_column.`,
  );
  for (const key of ['prompt_id', 'prompt_template', 'prompt_id_column']) {
    expect(() => callOf({ model_id: EMBEDDING_MODEL, [key]: 'x' })).toThrow(
      `${key}: ${EMBEDDING_MODEL} makes embeddings and takes no prompt.`,
    );
  }
});

test('embeddings read input_text unless another column is named', () => {
  expect(callOf({ model_id: EMBEDDING_MODEL }).prompt).toEqual([{ kind: 'column', column: 'input_text' }]);
  expect(callOf({ model_id: EMBEDDING_MODEL, text_column: 'body' }).prompt).toEqual([
    { kind: 'column', column: 'body' },
  ]);
});

test('a system prompt may have placeholders, and literal braces', () => {
  const system = (system_prompt: string) =>
    callOf({ model_id: TEXT_MODEL, prompt_template: '{a}', system_prompt });
  expect(system('Speak {lang}.').system).toEqual([
    { kind: 'literal', text: 'Speak ' },
    { kind: 'column', column: 'lang' },
    { kind: 'literal', text: '.' },
  ]);
  const plain = system('Answer as {{"a": 1}}.');
  expect([plain.system, plain.systemText]).toEqual([[], 'Answer as {"a": 1}.']);
  expect(plain.frame.segments.map((segment) => segment.kind)).toEqual(['text', 'string', 'text']);
  expect(() => system('Answer as {')).toThrow(
    'The system prompt has a single "{". Write {column} for a placeholder, and {{ or }} for a literal brace.',
  );
});

test('a server of the user’s own is told a schema in words, unless the run input says otherwise', () => {
  const model_id = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';
  const given = {
    s3_uri: 's3://bucket/a.csv',
    model_id,
    prompt_template: '{a}',
    output_schema: { b: 'string' },
  };
  const modelServer = { url: 'http://localhost:1', model: null };
  const formOf = (keys: object, place = {}) =>
    modelCallOf(parseRunInput({ ...given, ...keys }), place).schemaForm;
  expect(formOf({})).toBe('native');
  expect(formOf({}, { modelServer })).toBe('prompt');
  expect(formOf({ output_schema_form: 'native' }, { modelServer })).toBe('native');
  expect(() => formOf({ output_schema_form: 'native', model_id: 'us.amazon.nova-lite-v1:0' })).toThrow(
    'output_schema_form: Amazon Nova has no field that holds answers to a schema, so us.amazon.nova-lite-v1:0 can be told it in the prompt only. Leave output_schema_form out.',
  );
  const map = { type: 'object', properties: { b: { type: 'object' } } };
  expect(formOf({ output_schema: map })).toBe('prompt');
  expect(() => formOf({ output_schema: map, output_schema_form: 'native' })).toThrow(
    'output_schema: Bedrock does not take it in the model’s own form, as b is an object of any keys. Change it, or leave output_schema_form out.',
  );
});
