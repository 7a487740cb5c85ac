import { expect, test } from 'vitest';
import {
  answerSchemaOf,
  propertyTypeOf,
  schemaInPrompt,
  schemaInstruction,
} from '../../../src/core/run-input/output-schema.ts';

const SHORT = {
  sentiment: 'positive | neutral | negative',
  score: 'number 0..1',
  stars: 'integer 1..5?',
  topics: 'string[]',
  reason: 'string?',
  tone: 'warm | cold?',
  sure: 'boolean',
  person: { name: 'string', age: 'integer?' },
};

test('the short form stands for a JSON Schema, whose properties have the columns’ types', () => {
  const schema = answerSchemaOf(SHORT);
  expect(schema).toEqual({
    type: 'object',
    properties: {
      sentiment: { type: 'string', enum: ['positive', 'neutral', 'negative'] },
      score: { type: 'number', minimum: 0, maximum: 1 },
      stars: { type: ['integer', 'null'], minimum: 1, maximum: 5 },
      topics: { type: 'array', items: { type: 'string' } },
      reason: { type: ['string', 'null'] },
      tone: { type: ['string', 'null'], enum: ['warm', 'cold', null] },
      sure: { type: 'boolean' },
      person: {
        type: 'object',
        properties: { name: { type: 'string' }, age: { type: ['integer', 'null'] } },
        required: ['name'],
      },
    },
    required: ['sentiment', 'score', 'topics', 'sure', 'person'],
  });
  expect(Object.values(schema.properties).map(propertyTypeOf)).toEqual([
    'VARCHAR',
    'DOUBLE',
    'BIGINT',
    'VARCHAR[]',
    'VARCHAR',
    'VARCHAR',
    'BOOLEAN',
    'STRUCT("name" VARCHAR, "age" BIGINT)',
  ]);
});

test('a JSON Schema is taken as it is; what may be of several kinds is JSON', () => {
  const given = {
    type: 'object',
    properties: {
      any: {},
      mixed: { type: ['string', 'number'] },
      word: { enum: ['a', 'b', null] },
      two: { const: 2 },
      rows: { type: 'array', items: { type: 'object', properties: { x: { type: 'number' } } } },
      bag: { type: 'object' },
      odd: { type: 'object', properties: { a: { type: 'string' }, A: { type: 'string' } } },
    },
  };
  expect(answerSchemaOf(given)).toBe(given);
  expect(Object.values(given.properties).map(propertyTypeOf)).toEqual([
    'JSON',
    'JSON',
    'VARCHAR',
    'DOUBLE',
    'STRUCT("x" DOUBLE)[]',
    'JSON',
    'JSON',
  ]);
});

const TYPES =
  'Write string, number, integer, boolean, a range as in "number 0..1", a choice as in "yes | no", "[]" for a list, and "?" at the end if the value may be missing.';

test.each([
  [{}, 'output_schema: it has no properties.'],
  [{ a: 'text' }, `output_schema.a: "text" is no type. ${TYPES}`],
  [{ a: { b: 7 } }, `output_schema.a.b: ${TYPES}`],
  [
    { a: 'number 2..1' },
    'output_schema.a: a range needs number or integer, and the smaller end first: "number 0..1".',
  ],
  [
    { a: 'string 0..1' },
    'output_schema.a: a range needs number or integer, and the smaller end first: "number 0..1".',
  ],
  [{ a: 'yes | ' }, 'output_schema.a: a choice needs a word on each side of every "|".'],
  [
    { a: 'string', A: 'string' },
    'output_schema: "A" is there twice but for capitals, which columns do not tell apart. Rename one.',
  ],
  [{ type: 'object', properties: { a: 'string' } }, 'output_schema.properties.a: it is not a JSON Schema.'],
  [
    { type: 'array', properties: {} },
    'output_schema: the answer is one object. Give {"type": "object", "properties": {…}}, or the short form.',
  ],
])('%j is refused', (given, message) => {
  expect(() => answerSchemaOf(given)).toThrow(message);
});

test('a prompt asks for the schema at its end, where it can be read again', () => {
  const schema = answerSchemaOf(SHORT);
  expect(schemaInPrompt(`Rate this: {"a": 1}${schemaInstruction(schema)}`)).toEqual(schema);
  expect(schemaInPrompt('Rate this')).toBeUndefined();
  expect(schemaInPrompt(`${schemaInstruction(schema)} cut`)).toBeUndefined();
});

test.each([
  ['a type that nobody knows', { type: 'point' }, 'JSON'],
  ['a list of anything', { type: 'array' }, 'JSON'],
  [
    'a list of what may be of several kinds',
    { type: 'array', items: { type: ['string', 'number'] } },
    'JSON',
  ],
  ['an object with a property that may be anything', { type: 'object', properties: { a: true } }, 'JSON'],
  ['a constant list', { const: [1] }, 'JSON'],
  ['a constant text', { const: 'a' }, 'VARCHAR'],
])('%s becomes a column of its type', (_, schema, type) => {
  expect(propertyTypeOf(schema)).toBe(type);
});
