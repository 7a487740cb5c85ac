import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerSchemaOf, type JsonSchema } from '../../../src/core/run-input/output-schema.ts';
import { simulatedObject } from '../../../src/emulator/models/simulated-object.ts';
import { findObject } from '../../../src/rows/collect/mend-json.ts';
import {
  createTypedReader,
  faultOfViolation,
  requireSoundSchema,
} from '../../../src/rows/collect/typed-answer.ts';

const SCHEMA = answerSchemaOf({
  label: 'good | bad',
  score: 'number 0..1',
  count: 'integer',
  tags: 'string[]',
  why: 'string?',
});
const read = await createTypedReader(SCHEMA);
const GOOD = { label: 'good', score: 0.5, count: 3, tags: ['a'], why: 'so' };
const VALUES = ['good', 0.5, 3, ['a'], 'so'];
const of = (changes: object) => JSON.stringify({ ...GOOD, ...changes });

test('an answer of the schema gives its values in the order of the schema; what may be missing may be null', () => {
  expect(read(JSON.stringify(GOOD), null)).toEqual({ kind: 'typed', values: VALUES, isMended: false });
  const { why: _, ...short } = GOOD;
  for (const answer of [JSON.stringify(short), of({ why: null }), of({ why: null, more: 1 })]) {
    expect(read(answer, null)).toMatchObject({ values: ['good', 0.5, 3, ['a'], null] });
  }
});

test.each([
  ['a code fence', `\`\`\`json\n${JSON.stringify(GOOD, null, 2)}\n\`\`\``],
  ['text around it', `Here it is: ${JSON.stringify(GOOD)} — I hope that helps :}`],
  ['trailing commas', '{"label":"good","score":0.5,"count":3,"tags":["a",],"why":"so",}'],
])('%s is mended, and counted', (_name, answer) => {
  expect(read(answer, 'end_turn')).toEqual({ kind: 'typed', values: VALUES, isMended: true });
});

test('any object that stands in any text is found, whatever its strings have in them', () => {
  const strings = fc.oneof(fc.string(), fc.constantFrom('}', '{', ',}', '\\', '"', '```', 'a,]'));
  fc.assert(
    fc.property(
      fc.dictionary(strings, fc.oneof(strings, fc.array(strings), fc.dictionary(strings, strings))),
      fc.string().map((text) => text.replace(/[{"]/g, '')),
      fc.string(),
      (object, before, after) => {
        const json = JSON.stringify(object);
        expect(findObject(json)?.isMended).toBe(false);
        expect(findObject(`${before}x${json}x${after}`)).toEqual({
          object: JSON.parse(json),
          isMended: true,
        });
      },
    ),
  );
});

const WRONG = 'The answer does not match output_schema: ';
test.each([
  [of({ score: 2 }), 'score must be <= 1', ['score']],
  [of({ label: 'fine' }), 'label must be equal to one of the allowed values: good, bad', ['label']],
  [of({ tags: [1], count: 1.5 }), 'count must be integer; tags.0 must be string', ['count', 'tags']],
  [
    '{}',
    "must have required property 'label'; must have required property 'score'; must have required property 'count'; and 1 more",
    ['label', 'score', 'count', 'tags'],
  ],
  ['I cannot say.', 'it has no JSON object in it', []],
  ['[1]', 'it has no JSON object in it', []],
  [
    of({ count: 0 }).replace('"count":0', '"count":1e30'),
    'count has a number that a column cannot have',
    ['count'],
  ],
  [of({ score: 0 }).replace('"score":0', '"score":1e999'), 'score must be <= 1', ['score']],
])('%s is a violation', (answer, why, properties) => {
  expect(read(answer, 'end_turn')).toEqual({
    kind: 'violation',
    errorCode: 'SchemaViolation',
    errorMessage: `${WRONG}${why}. It says: ${answer}`,
    properties,
  });
});

test('a bad answer is quoted as far as it helps, and is safe to print', () => {
  const messageOf = (answer: string) => {
    const said = read(answer, 'end_turn');
    return said.kind === 'violation' ? said.errorMessage : '';
  };
  expect(messageOf(' \n')).toBe(`${WRONG}it is empty.`);
  expect(messageOf('red\u001b[31m\u009b alert\n')).toBe(
    `${WRONG}it has no JSON object in it. It says: red [31m  alert `,
  );
  expect(messageOf('x'.repeat(10_000))).toMatch(/It says: x{400}…$/);
});

test('what was wrong is found in the message of a row', () => {
  const said = read(of({ score: 2 }), 'end_turn');
  const message = said.kind === 'violation' ? said.errorMessage : '';
  expect(faultOfViolation(message)).toBe('score must be <= 1');
  expect(faultOfViolation(`${WRONG}it is empty.`)).toBe('it is empty');
  expect(faultOfViolation('Something else.')).toBe('Something else');
});

test('an answer that was cut off is told from one that is wrong', () => {
  expect(read('{"label":"good","sco', 'max_tokens')).toEqual({
    kind: 'violation',
    properties: [],
    errorCode: 'AnswerTruncated',
    errorMessage:
      'The answer was cut off (max_tokens) before its JSON object was whole. Raise inference_parameters.max_tokens.',
  });
  expect(read('{"label":"good","sco', 'end_turn')).toMatchObject({ errorCode: 'SchemaViolation' });
});

test('a schema that no validator takes is refused', async () => {
  const schema = answerSchemaOf({ type: 'object', properties: { a: { type: 'strin' } } } as JsonSchema);
  await expect(requireSoundSchema(schema)).rejects.toThrow('output_schema is not a valid JSON Schema: ');
});

test('what the simulated model answers to a schema is of it', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      expect(read(JSON.stringify(simulatedObject(SCHEMA, seed)), 'end_turn').kind).toBe('typed');
    }),
  );
});
