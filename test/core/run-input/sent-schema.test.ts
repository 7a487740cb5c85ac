import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AnswerSchema,
  answerSchemaOf,
  type JsonSchema,
} from '../../../src/core/run-input/output-schema.ts';
import { sentSchemaOf } from '../../../src/core/run-input/sent-schema.ts';

const objectOf = (properties: Record<string, JsonSchema>, required?: string[]): AnswerSchema => ({
  type: 'object',
  properties,
  ...(required === undefined ? {} : { required }),
});

function sentPropertiesOf(schema: AnswerSchema): unknown {
  const sent = sentSchemaOf(schema);
  if (sent.kind === 'unsent') throw new Error(sent.why);
  return sent.schema.properties;
}

test('all properties are required, those that may be missing nullable, no others allowed, and bounds are told in words', () => {
  const schema = answerSchemaOf({
    label: 'good | bad',
    score: 'number 0..1',
    topics: 'string[]',
    reason: 'string?',
    mood: 'calm | wild?',
    place: { city: 'string', zip: 'string?' },
  });
  expect(sentSchemaOf(schema)).toEqual({
    kind: 'sent',
    schema: {
      type: 'object',
      properties: {
        label: { type: 'string', enum: ['good', 'bad'] },
        score: { type: 'number', description: '(minimum 0, maximum 1)' },
        topics: { type: 'array', items: { type: 'string' } },
        reason: { type: ['string', 'null'] },
        mood: { type: ['string', 'null'], enum: ['calm', 'wild', null] },
        place: {
          type: 'object',
          properties: { city: { type: 'string' }, zip: { type: ['string', 'null'] } },
          required: ['city', 'zip'],
          additionalProperties: false,
        },
      },
      required: ['label', 'score', 'topics', 'reason', 'mood', 'place'],
      additionalProperties: false,
    },
  });
});

test('descriptions, formats and choices are kept; a one-of is sent as an any-of', () => {
  const schema = objectOf(
    {
      day: { type: 'string', format: 'date', description: 'When.', title: 'Day' },
      code: { type: 'string', format: 'isbn', pattern: '^[A-Z]+$', description: 'Upper case.' },
      kind: { oneOf: [{ type: 'string' }, { const: 7 }] },
      fixed: { const: 'x' },
    },
    ['day', 'code', 'kind'],
  );
  expect(sentPropertiesOf(schema)).toEqual({
    day: { type: 'string', format: 'date', description: 'When.' },
    code: { type: 'string', description: 'Upper case. (pattern ^[A-Z]+$)' },
    kind: { anyOf: [{ type: 'string' }, { const: 7 }] },
    fixed: { anyOf: [{ const: 'x' }, { type: 'null' }] },
  });
});

test('what may be null already stays so', () => {
  const schema = objectOf({
    word: { enum: ['a', 'b'] },
    none: { type: ['string', 'null'] },
    some: { type: 'string', enum: ['a', null] },
  });
  expect(sentPropertiesOf(schema)).toEqual({
    word: { enum: ['a', 'b', null] },
    none: { type: ['string', 'null'] },
    some: { type: ['string', 'null'], enum: ['a', null] },
  });
});

describe('a schema that cannot be put so says why', () => {
  const cases: [name: string, property: JsonSchema, why: string][] = [
    ['any value', {}, 'a allows anything'],
    ['no schema at all', true as unknown as JsonSchema, 'a allows anything'],
    ['any value that has a title', { title: 'A' }, 'a allows anything'],
    ['a list of anything', { type: 'array' }, 'a[] allows anything'],
    ['an object of any keys', { type: 'object' }, 'a is an object of any keys'],
    [
      'a map',
      { type: 'object', properties: {}, additionalProperties: { type: 'string' } },
      'a is an object of any keys',
    ],
    ['a reference', { $ref: '#/$defs/x' }, 'a has references'],
    ['a tuple', { type: 'array', prefixItems: [{ type: 'string' }] }, 'a has prefixItems'],
    ['a condition', { type: 'string', if: { const: 'x' } }, 'a has if'],
    ['a keyword of nobody', { type: 'string', strange: 1 }, 'a has strange'],
    [
      'a fault within',
      { type: 'object', properties: { b: { type: 'array', items: { allOf: [] } } } },
      'a.b[] has allOf',
    ],
  ];
  test.each(cases)('%s', (_, property, why) => {
    expect(sentSchemaOf(objectOf({ a: property }, ['a']))).toEqual({ kind: 'unsent', why });
  });

  test('the whole of it', () => {
    expect(sentSchemaOf({ ...objectOf({ a: { type: 'string' } }), $defs: {} })).toEqual({
      kind: 'unsent',
      why: 'the schema has references',
    });
    expect(
      sentSchemaOf({ ...objectOf({ a: { type: 'string' } }), additionalProperties: { type: 'string' } }),
    ).toEqual({
      kind: 'unsent',
      why: 'the schema is an object of any keys',
    });
  });
});

test('what the whole schema takes, the one that is sent takes too, once what is missing is null', () => {
  const kinds = fc.constantFrom('string', 'number 0..1', 'integer -5..5', 'boolean', 'a | b', 'string[]');
  const properties = fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.tuple(kinds, fc.boolean()), {
    minKeys: 1,
    maxKeys: 5,
  });
  const sampleOf: Record<string, unknown> = {
    string: 'text',
    'number 0..1': 0.5,
    'integer -5..5': -3,
    boolean: true,
    'a | b': 'b',
    'string[]': ['x'],
  };
  fc.assert(
    fc.property(properties, fc.func(fc.boolean()), (drawn, isLeftOut) => {
      const short = Object.entries(drawn).map(([name, [kind, isOptional]]) => [
        name,
        isOptional ? `${kind}?` : kind,
      ]);
      const schema = answerSchemaOf(Object.fromEntries(short));
      const sent = sentSchemaOf(schema);
      if (sent.kind === 'unsent') throw new Error(sent.why);
      const values = Object.entries(drawn).map(([name, [kind, isOptional]]) => [
        name,
        isOptional && isLeftOut(name) ? null : sampleOf[kind],
      ]);
      const answer = Object.fromEntries(values);
      const ajv = new Ajv2020({ strict: false });
      expect(ajv.validate(sent.schema, answer)).toBe(true);
      const present = Object.fromEntries(values.filter(([, value]) => value !== null));
      expect(ajv.validate(schema, present)).toBe(true);
    }),
  );
});
