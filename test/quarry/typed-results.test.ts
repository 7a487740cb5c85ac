import { join } from 'node:path';
import { expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { Quarry, type ResultRow } from '../../src/index.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const MODEL = 'us.amazon.nova-lite-v1:0';
const ASK = {
  model: MODEL,
  prompt: 'Good or bad? {review}',
  dataset: [{ review: 'Lovely.' }, { review: null }],
};

async function openQuarry(): Promise<Quarry> {
  return new Quarry({ directory: join(await temporaryDirectory(), 'store') });
}

test('rows have the types of a zod schema, and null where they have no answer', async () => {
  const quarry = await openQuarry();
  const outputSchema = z.object({
    mood: z.enum(['good', 'bad']),
    score: z.number().min(0).max(1),
    topics: z.array(z.string()),
    why: z.string().optional(),
  });
  const run = await quarry.run({ ...ASK, outputSchema });
  await run.result;
  const rows = await Array.fromAsync(quarry.results(run));
  type Row = (typeof rows)[number];
  expectTypeOf<Row['mood']>().toEqualTypeOf<'good' | 'bad' | null>();
  expectTypeOf<Row['score']>().toEqualTypeOf<number | null>();
  expectTypeOf<Row['topics']>().toEqualTypeOf<string[] | null>();
  expectTypeOf<Row['why']>().toEqualTypeOf<string | null>();
  expectTypeOf<Row['review']>().toEqualTypeOf<unknown>();
  expectTypeOf<Row['error_code']>().toEqualTypeOf<string | null>();
  const [answered, unanswered] = rows;
  expect(outputSchema.parse(withoutNulls({ ...answered }))).toMatchObject({ mood: expect.any(String) });
  expect(unanswered).toMatchObject({
    mood: null,
    score: null,
    topics: null,
    why: null,
    error_code: expect.any(String),
  });
});

test('rows have the types of a JSON Schema or its short form, below their prefix', async () => {
  const quarry = await openQuarry();
  const run = await quarry.run({
    ...ASK,
    output_prefix: 'a_',
    outputSchema: {
      type: 'object',
      properties: {
        mood: { enum: ['good', 'bad'] },
        count: { type: 'integer' },
        places: {
          type: 'array',
          items: {
            type: 'object',
            properties: { name: { type: 'string' }, zip: { type: 'string' } },
            required: ['name'],
          },
        },
        sure: { type: ['boolean', 'null'] },
        kind: { const: 'review' },
      },
      required: ['mood', 'count'],
    },
  });
  await run.result;
  const [row] = await Array.fromAsync(quarry.results(run));
  type Row = NonNullable<typeof row>;
  expectTypeOf<Row['a_mood']>().toEqualTypeOf<'good' | 'bad' | null>();
  expectTypeOf<Row['a_count']>().toEqualTypeOf<number | null>();
  expectTypeOf<NonNullable<Row['a_places']>[number]['name']>().toEqualTypeOf<string>();
  expectTypeOf<NonNullable<Row['a_places']>[number]['zip']>().toEqualTypeOf<string | null>();
  expectTypeOf<Row['a_sure']>().toEqualTypeOf<boolean | null>();
  expectTypeOf<Row['a_kind']>().toEqualTypeOf<'review' | null>();
  expect(['good', 'bad']).toContain(row?.a_mood);
  expect(row?.a_count).toEqual(expect.any(Number));

  const short = await quarry.run({
    ...ASK,
    outputSchema: {
      mood: 'good | bad?',
      score: 'number 0..1',
      topics: 'string[]',
      more: { sure: 'boolean' },
    },
  });
  type Short =
    ReturnType<typeof quarry.results<NonNullable<typeof short.columnTypes>>> extends AsyncGenerator<infer R>
      ? R
      : never;
  expectTypeOf<Short['mood']>().toEqualTypeOf<'good' | 'bad' | null>();
  expectTypeOf<Short['score']>().toEqualTypeOf<number | null>();
  expectTypeOf<Short['topics']>().toEqualTypeOf<string[] | null>();
  expectTypeOf<NonNullable<Short['more']>>().toEqualTypeOf<{ readonly sure: boolean }>();
  await short.result;
});

test('without a schema, by an id, and with types that are said, all is as before', async () => {
  const quarry = await openQuarry();
  const run = await quarry.run(ASK);
  await run.result;
  expectTypeOf(quarry.results(run)).toEqualTypeOf<AsyncGenerator<ResultRow<Record<string, unknown>>, void>>();
  expectTypeOf(quarry.results(run.id)).toEqualTypeOf<
    AsyncGenerator<ResultRow<Record<string, unknown>>, void>
  >();
  expectTypeOf(quarry.results<{ review: string }>(run)).toEqualTypeOf<
    AsyncGenerator<ResultRow<{ review: string }>, void>
  >();
  // @ts-expect-error a key that there is not
  await expect(quarry.run({ ...ASK, promt: 'x' })).rejects.toThrow('"promt" is not a key of a run input');
});

test('a schema is the same run, whichever way it is given', async () => {
  const quarry = await openQuarry();
  const byZod = await quarry.run({ ...ASK, outputSchema: z.object({ sure: z.boolean() }) });
  await byZod.result;
  const byJson = await quarry.run({
    ...ASK,
    output_schema: { type: 'object', properties: { sure: { type: 'boolean' } }, required: ['sure'] },
  });
  await byJson.result;
  expect(byJson.id).toBe(byZod.id);
});

test('a schema is known by what it has, not by its class', async () => {
  const quarry = await openQuarry();
  const telling = {
    '~standard': {
      vendor: 'other',
      version: 1,
      jsonSchema: { input: () => ({ type: 'object', properties: { sure: { type: 'boolean' } } }) },
    },
  };
  const run = await quarry.run({ ...ASK, outputSchema: telling });
  await run.result;
  expect(await Array.fromAsync(quarry.results(run, { head: 1 }))).toMatchObject([
    { sure: expect.any(Boolean) },
  ]);
  const zodOfAnOlderMinor = Object.create(z.object({ sure: z.boolean() }), {
    '~standard': { value: { vendor: 'zod', version: 1 } },
  });
  const older = await quarry.run({ ...ASK, outputSchema: zodOfAnOlderMinor });
  await older.result;
  expect(older.plan?.input.output_schema).toMatchObject({ properties: { sure: { type: 'boolean' } } });
});

test.each([
  [
    { '~standard': { vendor: 'zod3' } },
    'outputSchema is a schema of "zod3" that does not tell its JSON Schema. Give one of zod 4, or the JSON Schema itself.',
  ],
  [
    z.object({ at: z.date() }),
    'outputSchema has something that JSON Schema cannot say: Date cannot be represented in JSON Schema',
  ],
  [z.string(), 'outputSchema: the answer is one object, like z.object({ label: z.string() }).'],
])('what is no schema of an object is refused, and nothing is made: %#', async (outputSchema, message) => {
  const quarry = await openQuarry();
  await expect(quarry.run({ ...ASK, outputSchema })).rejects.toMatchObject({
    name: 'InvalidRunInputError',
    message: expect.stringContaining(message),
  });
  expect((await quarry.runs()).runs).toEqual([]);
});

function withoutNulls(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}
