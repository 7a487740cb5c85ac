import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { membersOf } from '../../../src/core/text/json-members.ts';

describe('the members of a JSON object', () => {
  test.each<[string, [string, string][]]>([
    ['{}', []],
    [' { } ', []],
    [
      '{"a":1.50,"b":-0}',
      [
        ['a', '1.50'],
        ['b', '-0'],
      ],
    ],
    [
      '{ "a" :\t[1, {"b": "}]"}] , "c": null }',
      [
        ['a', '[1, {"b": "}]"}]'],
        ['c', 'null'],
      ],
    ],
    [
      '{"a":"\\\\","b":"\\"}"}',
      [
        ['a', '"\\\\"'],
        ['b', '"\\"}"'],
      ],
    ],
    ['{"\\u0061":1,"a":2}', [['a', '2']]],
    ['{"__proto__":{"x":1}}', [['__proto__', '{"x":1}']]],
  ])('of %s are told as they are spelled', (json, expected) => {
    expect([...membersOf(json)]).toEqual(expected);
  });

  test('say the same as JSON.parse, however the object is indented', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(object, fc.nat(3), (value, indent) => {
        const json = JSON.stringify(value, null, indent);
        const read = [...membersOf(json)].map(([key, text]) => [key, JSON.parse(text)]);
        expect(read).toEqual(Object.entries(JSON.parse(json)));
      }),
    );
  });
});
