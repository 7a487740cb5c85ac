import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileIntrinsic } from '../../../src/engine/data/intrinsic-expression.ts';
import { createRandom } from '../run.ts';

const random = createRandom(7);
const evaluate = (text: string, data: unknown = {}, context: unknown = {}) =>
  compileIntrinsic(text)({ data, context, random });

// Where a value stands in the developer guide's page on intrinsic functions, it is the one used here.
describe('intrinsic functions', () => {
  test.each<[string, unknown, unknown]>([
    ["States.Format('Hello, my name is {}.', $.name)", { name: 'Arnav' }, 'Hello, my name is Arnav.'],
    ["States.Format('{} {} {}', 1, true, null)", {}, '1 true null'],
    // As recorded of the service: an object is written as Java does.
    ["States.Format('{}', $.o)", { o: { Arg1: 1, Arg2: [] } }, '{Arg1=1, Arg2=[]}'],
    ["States.Format('{}', $.o)", { o: [1, 'a', { b: [null, true] }] }, '[1, a, {b=[null, true]}]'],
    ["States.Format('\\{{}\\} it\\'s \\\\', 'a')", {}, "{a} it's \\"],
    ["States.Format('\\\\{}', 'a')", {}, '\\a'],
    ['States.Format($.template, 1)', { template: 'n={}' }, 'n=1'],
    ["States.Format('no places')", {}, 'no places'],
    ['States.StringToJson($.text)', { text: '{"foo":"bar"}' }, { foo: 'bar' }],
    ['States.StringToJson($.text)', { text: '' }, null],
    ['States.StringToJson($.text)', { text: ' \n' }, null],
    ['States.JsonToString($.value)', { value: { foo: 'bar' } }, '{"foo":"bar"}'],
    ['States.Array($.id)', { id: 123456 }, [123456]],
    ["States.Array('a', 1, null, States.Array())", {}, ['a', 1, null, []]],
    ['States.ArrayPartition($.a, 4)', { a: [1, 2, 3, 4, 5, 6, 7, 8, 9] }, [[1, 2, 3, 4], [5, 6, 7, 8], [9]]],
    ['States.ArrayPartition($.a, 2)', { a: [] }, []],
    ['States.ArrayContains($.a, $.x)', { a: [1, 2, 3], x: 2 }, true],
    ['States.ArrayContains($.a, $.x)', { a: [{ b: 1 }], x: { b: 1 } }, true],
    ["States.ArrayContains($.a, '1')", { a: [1] }, false],
    ['States.ArrayRange(1, 9, 2)', {}, [1, 3, 5, 7, 9]],
    ['States.ArrayRange(3, 1, -1)', {}, [3, 2, 1]],
    ['States.ArrayRange(3, 1, 1)', {}, []],
    ['States.ArrayGetItem($.a, $.index)', { a: [1, 2, 3], index: 2 }, 3],
    ['States.ArrayLength($.a)', { a: [1, 2, 3] }, 3],
    ['States.ArrayUnique($.a)', { a: [1, 2, 3, 3, 3, { x: 1 }, { x: 1 }] }, [1, 2, 3, { x: 1 }]],
    ["States.Base64Encode('Data to encode')", {}, 'RGF0YSB0byBlbmNvZGU='],
    ["States.Base64Decode('RGVjb2RlZCBkYXRh')", {}, 'Decoded data'],
    ["States.Hash('input data', 'SHA-1')", {}, 'aaff4a450a104cd177d28d18d74485e8cae074b7'],
    ["States.Hash('a', 'MD5')", {}, createHash('md5').update('a').digest('hex')],
    ["States.Hash($.o, 'SHA-256')", { o: { a: 1 } }, createHash('sha256').update('{"a":1}').digest('hex')],
    ["States.Hash('a', 'SHA-384')", {}, createHash('sha384').update('a').digest('hex')],
    ["States.Hash('a', 'SHA-512')", {}, createHash('sha512').update('a').digest('hex')],
    [
      'States.JsonMerge($.json1, $.json2, false)',
      { json1: { a: { a1: 1, a2: 2 }, b: 2 }, json2: { a: { a3: 1, a4: 2 }, c: 3 } },
      { a: { a3: 1, a4: 2 }, b: 2, c: 3 },
    ],
    ['States.MathAdd($.value1, -1)', { value1: 111 }, 110],
    ['States.MathAdd(1.6, 1)', {}, 3],
    ['States.StringSplit($.s, $.by)', { s: '1,2,3,4,5', by: ',' }, ['1', '2', '3', '4', '5']],
    [
      'States.StringSplit($.s, $.by)',
      { s: 'This.is+a,test=string', by: '.+,=' },
      ['This', 'is', 'a', 'test', 'string'],
    ],
    ["States.StringSplit('a\\'b', '\\'')", {}, ['a', 'b']],
  ])('%s', (text, data, expected) => {
    expect(evaluate(text, data)).toEqual(expected);
  });

  test('States.MathRandom gives integers from start up to, but not including, end', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: 1, max: 50 }), (start, size) => {
        const value = Number(evaluate('States.MathRandom($.start, $.end)', { start, end: start + size }));
        expect(Number.isInteger(value)).toBe(true);
        expect(value).toBeGreaterThanOrEqual(start);
        expect(value).toBeLessThan(start + size);
      }),
    );
  });

  test('States.MathRandom gives the same number for the same seed', () => {
    const draw = (seed: number) => evaluate('States.MathRandom(0, 1000000, $.seed)', { seed });
    expect(draw(3)).toBe(draw(3));
    expect(draw(3)).not.toBe(draw(4));
  });

  test('States.UUID gives a version 4 UUID, another one each time', () => {
    const first = String(evaluate('States.UUID()'));
    expect(first).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(evaluate('States.UUID()')).not.toBe(first);
  });

  test('arguments may be paths with brackets, paths into the context object, and other functions', () => {
    const data = { 'a, (b)': [{ c: 'x' }] };
    expect(
      evaluate("States.Format('{}-{}', $['a, (b)'][0].c, $$.State.Name)", data, { State: { Name: 'S' } }),
    ).toBe('x-S');
    expect(evaluate("States.ArrayLength(States.StringSplit(States.Format('a,{}', 'b'), ','))")).toBe(2);
  });

  test('Base64 decodes what it encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (text) => {
        expect(evaluate('States.Base64Decode(States.Base64Encode($.text))', { text })).toBe(text);
      }),
    );
  });

  test.each<[string, unknown]>([
    ["States.Format('{} {}', 1)", {}],
    ["States.Format('{}', 1, 2)", {}],
    ['States.Format(1)', {}],
    ["States.StringToJson('{')", {}],
    ['States.StringToJson(1)', {}],
    ['States.ArrayPartition($.a, 0)', { a: [1] }],
    ['States.ArrayLength($.a)', { a: 'text' }],
    ['States.ArrayRange(1, 5, 0)', {}],
    ['States.ArrayRange(1, 1001, 1)', {}],
    ["States.ArrayRange(1, 'x', 1)", {}],
    ['States.ArrayGetItem($.a, 1)', { a: [1] }],
    ['States.Base64Encode($.long)', { long: 'x'.repeat(10_001) }],
    ["States.Hash($.long, 'MD5')", { long: 'x'.repeat(10_001) }],
    ["States.Hash('a', 'CRC32')", {}],
    ['States.JsonMerge($.o, $.o, true)', { o: {} }],
    ['States.JsonMerge($.o, $.a, false)', { o: {}, a: [] }],
    ['States.MathRandom(5, 5)', {}],
    ['States.MathRandom(1)', {}],
    ['States.MathAdd(1)', {}],
    ['States.UUID(1)', {}],
  ])('%s of %j fails with States.IntrinsicFailure', (text, data) => {
    expect(() => evaluate(text, data)).toThrow(/^States.IntrinsicFailure: The function/);
  });

  test('an argument that leads nowhere is States.Runtime', () => {
    expect(() => evaluate('States.Array($.missing)')).toThrow(
      /^States.Runtime.*'\$.missing' could not be found/,
    );
    expect(() => evaluate('States.Array(States.Array($.missing))')).toThrow(/^States.Runtime/);
  });

  test.each([
    'States.Nothing(1)',
    'States.toString()',
    'States.Array(1',
    'States.Array(1 2)',
    'States.Array(one)',
    'States.Array(1) and more',
    'States.Array',
    "States.Array('open)",
    `States.StringToJson('{\\"a\\":1}')`,
    "States.Format('\\q{}', 1)",
    "States.Array('a\\n')",
    `${'States.Array('.repeat(11)}${')'.repeat(11)}`,
  ])('%s is refused, before anything runs', (text) => {
    expect(() => compileIntrinsic(text)).toThrow(expect.objectContaining({ name: 'InvalidDefinitionError' }));
  });
});
