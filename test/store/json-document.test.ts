import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseDocument, renderJson } from '../../src/store/json-document.ts';

const Anything = z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]);
const asStored = (value: unknown) => JSON.parse(JSON.stringify(value));
// A schema of any keys, which none of ours is, would lose the last of these.
const object = fc
  .dictionary(fc.string(), fc.jsonValue())
  .filter((value) => !Object.hasOwn(value, 'checksum') && !Object.hasOwn(value, '__proto__'));

test('the text is laid out for people, ends in a line break, and has its checksum last', () => {
  expect(renderJson({ rows: 3 })).toBe('{\n  "rows": 3,\n  "checksum": "crc32-83e2def9"\n}\n');
  expect(renderJson([1])).toBe('{\n  "list": [\n    1\n  ],\n  "checksum": "crc32-48ef494f"\n}\n');
});

test('what is written is read again, an object or a list, however its text is laid out since', () => {
  fc.assert(
    fc.property(fc.oneof(object, fc.array(fc.jsonValue())), (value) => {
      const text = renderJson(value);
      expect(parseDocument(Buffer.from(text), Anything)).toEqual({ value: asStored(value) });
      const compact = JSON.stringify(JSON.parse(text));
      expect(parseDocument(Buffer.from(compact), Anything)).toEqual({ value: asStored(value) });
    }),
  );
});

test('no bit that flips gives other content', () => {
  fc.assert(
    fc.property(object, fc.nat(), fc.nat({ max: 7 }), (value, place, bit) => {
      const bytes = Buffer.from(renderJson(value));
      const at = place % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      const read = parseDocument(bytes, Anything);
      if (!('value' in read)) return;
      // The name of the checksum itself may have become another one, which no schema of ours asks for.
      const known = Object.fromEntries(Object.keys(value).map((key) => [key, Object(read.value)[key]]));
      expect(known).toEqual(asStored(value));
    }),
    { numRuns: 500 },
  );
});

test('a number that has changed is told, and a file of before there were checksums is read', () => {
  const Rows = z.object({ rows: z.int() });
  const text = renderJson({ rows: 3 });
  expect(parseDocument(Buffer.from(text.replace('3', '7')), Rows)).toMatchObject({
    fault: 'it has changed since it was written: its checksum is that of another text',
  });
  expect(parseDocument(Buffer.from('{"rows": 7}'), Rows)).toEqual({ value: { rows: 7 } });
});

test('files of version 0.1.0 are read as they are', async () => {
  const path = new URL('../fixtures/runs/0.1.0/runs/old/plan.json', import.meta.url);
  expect(parseDocument(await readFile(path), z.looseObject({ format_version: z.literal(1) }))).toHaveProperty(
    'value.format_version',
    1,
  );
});
