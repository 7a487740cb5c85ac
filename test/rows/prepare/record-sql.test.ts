import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordIdOf } from '../../../src/core/record-id.ts';
import type { RecordFrame } from '../../../src/models/record-frame.ts';
import { choiceOf, parsePromptTemplate, renderPrompt } from '../../../src/prompts/prompt-template.ts';
import { type DuckDb, openDuckDb, sqlText } from '../../../src/rows/duckdb/duckdb.ts';
import { createScratch } from '../../../src/rows/duckdb/scratch.ts';
import {
  promptBytesSql,
  promptsSql,
  REQUEST_HASH_COLUMN,
  recordIdSql,
  recordLinesSql,
  requestHashSql,
  unaskedCodeSql,
} from '../../../src/rows/prepare/record-sql.ts';
import { CONVERSE_BODY, converseFrame } from '../../support/rows.ts';

let db: DuckDb;
let scratch: Awaited<ReturnType<typeof createScratch>>;
beforeAll(async () => {
  scratch = await createScratch();
  db = await openDuckDb({ memoryMb: 512, threads: 1, scratchDirectory: scratch.path });
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

/** The bytes of a text in SQL, as hex, which no reader of results can change. */
async function hexOf(sql: string): Promise<string> {
  return String((await db.row(`SELECT hex(encode(${sql})) AS hex`)).hex);
}

/** The bytes of a text as a record has it. */
async function hexOfJson(text: string): Promise<string> {
  const frame: RecordFrame = { segments: [{ kind: 'string', pieces: [] }] };
  const lines = recordLinesSql(frame, { recordId: `'r'`, prompts: [sqlText(text)], from: 'SELECT 1' });
  const line = String((await db.row(`SELECT hex(encode(line)) AS hex FROM (${lines})`)).hex);
  return line.slice(hex('{"recordId":"r","modelInput":').length, -hex('}').length);
}

function hex(text: string): string {
  return Buffer.from(text).toString('hex').toUpperCase();
}

const texts = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.toWellFormed());
const awkward = fc
  .array(
    fc.constantFrom(
      '\0',
      '\u0001',
      '\u000b',
      '\u001f',
      '\\',
      '\\u001F',
      '\\u000B',
      '"',
      '\ufeff',
      '\u2028',
      '\u0085',
      '😀',
      '{a}',
      '$&',
      "'",
      '\r\n',
      '\u007f',
      'שלום',
      '漢',
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(''));

test('every character of Unicode is escaped as JSON.stringify does it, byte for byte', async () => {
  for (let plane = 0; plane <= 0x10; plane++) {
    const codes = Array.from({ length: 0x10000 }, (_, index) => plane * 0x10000 + index);
    const text = codes
      .filter((code) => code < 0xd800 || code > 0xdfff)
      .map((code) => String.fromCodePoint(code))
      .join('');
    expect(await hexOfJson(text)).toBe(hex(JSON.stringify(text)));
  }
});

test('awkward texts are escaped as JSON.stringify does it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(texts, awkward), async (text) => {
      expect(await hexOf(sqlText(text))).toBe(hex(text));
      expect(await hexOfJson(text)).toBe(hex(JSON.stringify(text)));
    }),
    { numRuns: 300 },
  );
});

test('a prompt in SQL is the prompt in JavaScript, whatever stands in template and values', async () => {
  const values = fc.option(fc.oneof(texts, awkward), { nil: null });
  const literals = fc.oneof(texts, awkward).map((text) => text.replaceAll(/[{}]/g, (brace) => brace + brace));
  await fc.assert(
    fc.asyncProperty(values, values, literals, literals, async (a, b, before, between) => {
      const templates = [`${before}{a}${between}{b}{a}`, `{b}${before}`].map((template) =>
        parsePromptTemplate(template),
      );
      const frame: RecordFrame = {
        segments: [
          { kind: 'text', text: '{"system":' },
          ...templates.map((pieces) => ({ kind: 'string', pieces }) as const),
          { kind: 'text', text: '}' },
        ],
      };
      const columns = [
        { name: 'a', type: 'VARCHAR' },
        { name: 'b', type: 'VARCHAR' },
      ];
      const rendered =
        a === null || b === null ? [null, null] : templates.map((pieces) => renderPrompt(pieces, { a, b }));
      const sql = (value: string | null) => (value === null ? 'CAST(NULL AS VARCHAR)' : sqlText(value));
      const values = `(SELECT ${sql(a)} AS a, ${sql(b)} AS b)`;
      const [first, second] = promptsSql(frame, columns);
      const from = `SELECT ${first} AS p0, ${second} AS p1 FROM ${values}`;
      const { p0, p1, bytes, line } = await db.row(
        `SELECT hex(encode(p0)) AS p0, hex(encode(p1)) AS p1, hex(encode(line)) AS line,
           (SELECT ${promptBytesSql(frame, columns)} FROM ${values}) AS bytes
         FROM (${from}), (${recordLinesSql(frame, { recordId: `'r"1'`, prompts: ['p0', 'p1'], from })})`,
      );
      expect([p0, p1]).toEqual(rendered.map((text) => (text === null ? null : hex(text))));
      if (a === null || b === null) return;
      expect(Number(bytes)).toBe(Buffer.byteLength(rendered.join('')));
      const strings = rendered.map((text) => JSON.stringify(text)).join('');
      expect(line).toBe(hex(`{"recordId":"r\\"1","modelInput":{"system":${strings}}}`));
    }),
    { numRuns: 200 },
  );
});

test('where a column chooses the prompt, a row has the one that it names, and needs its columns alone', async () => {
  const ids = ['a', "it's \u0000", ''];
  const frame: RecordFrame = {
    segments: [
      {
        kind: 'string',
        pieces: [
          choiceOf('id', { [ids[0] ?? '']: 'A {x}', [ids[1] ?? '']: 'B', [ids[2] ?? '']: '{y} and {x}' }),
          { kind: 'literal', text: '!' },
        ],
      },
    ],
  };
  const columns = ['id', 'x', 'y'].map((name) => ({ name, type: 'VARCHAR' }));
  const text = fc.option(fc.constantFrom('', '1', 'a'), { nil: null });
  await fc.assert(
    fc.asyncProperty(fc.option(fc.constantFrom(...ids, 'b'), { nil: null }), text, text, async (id, x, y) => {
      const sql = (value: string | null) => (value === null ? 'CAST(NULL AS VARCHAR)' : sqlText(value));
      const row = await db.row(
        `SELECT ${promptsSql(frame, columns)[0]} AS prompt, ${unaskedCodeSql(frame, columns)} AS code
         FROM (SELECT ${sql(id)} AS id, ${sql(x)} AS x, ${sql(y)} AS y)`,
      );
      const [segment] = frame.segments;
      const prompt = segment?.kind === 'string' ? renderPrompt(segment.pieces, { id, x, y }) : null;
      const isKnown = id !== null && ids.includes(id);
      expect(row).toEqual({
        prompt,
        code: prompt !== null ? null : isKnown ? 'NullPromptValue' : 'UnknownPromptId',
      });
    }),
    { numRuns: 80 },
  );
});

test('a template without placeholders, and one without anything, are prompts too', async () => {
  const promptOf = (template: string) => promptsSql(converseFrame(template), [])[0] ?? '';
  expect(await hexOf(promptOf(''))).toBe('');
  expect(await hexOf(promptOf('{{x}}'))).toBe(hex('{x}'));
});

test('record ids in SQL are those of recordIdOf', async () => {
  for (const row of [0, 7, 9_999_999_999, 12_345_678_901]) {
    const sql = recordIdSql([], { recordIdColumn: undefined, rowNumber: String(row) });
    expect(await hexOf(sql)).toBe(hex(recordIdOf(row)));
  }
});

test('a placeholder that is no column is refused with the columns there are', () => {
  const columns = [{ name: 'a', type: 'VARCHAR' }];
  expect(() => promptsSql(converseFrame('{b}'), columns)).toThrow('The dataset has no column "b"; it has a.');
});

test('a request’s hash is SHA-256 over who answers, the model, the invocation type and the body as it is sent', async () => {
  const asked = {
    answerer: 'bedrock',
    modelId: 'us.amazon.nova-lite-v1:0',
    invocationType: 'Converse',
  } as const;
  const columns = [{ name: 'a', type: 'VARCHAR' }];
  const withEnd = (text: string): RecordFrame => ({
    segments: [...converseFrame('Say {a}!').segments.slice(0, -1), { kind: 'text', text }],
  });
  const hashOf = async (value: string | null, frame = converseFrame('Say {a}!'), who = asked) => {
    const from = `(SELECT ${value === null ? 'CAST(NULL AS VARCHAR)' : sqlText(value)} AS a)`;
    const { hash } = await db.row(
      `SELECT hex(${REQUEST_HASH_COLUMN}) AS hash FROM (${requestHashSql({ frame, asked: who, columns }, { from })})`,
    );
    return hash === null ? null : String(hash).toLowerCase();
  };
  await fc.assert(
    fc.asyncProperty(fc.oneof(texts, awkward), async (value) => {
      const { before, after } = CONVERSE_BODY;
      const sent = `bedrock\nus.amazon.nova-lite-v1:0\nConverse\n${before}${JSON.stringify(`Say ${value}!`)}${after}`;
      expect(await hashOf(value)).toBe(createHash('sha256').update(sent).digest('hex'));
    }),
    { numRuns: 60 },
  );
  expect(await hashOf(null)).toBeNull();
  const others = [
    await hashOf('x'),
    await hashOf('x', withEnd('}]}],"inferenceConfig":{"maxTokens":11}}')),
    await hashOf('x', converseFrame('Say {a}!'), { ...asked, modelId: 'us.amazon.nova-pro-v1:0' } as never),
    await hashOf('x', converseFrame('Say {a}!'), { ...asked, invocationType: 'InvokeModel' } as never),
    await hashOf('x', converseFrame('Say {a}!'), { ...asked, answerer: 'simulated' } as never),
  ];
  expect(new Set(others).size).toBe(5);
});
