import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decideFormat, formatOfPath, isPlainJson } from '../../src/hub/data-format.ts';
import { JSON_HEAD_BYTES, jsonFault } from '../../src/hub/json-head.ts';

test.each([
  ['a.parquet', 'parquet'],
  ['a.PARQUET', 'parquet'],
  ['a.parquet.gz', undefined],
  ['a.csv', 'csv'],
  ['a.tsv.gz', 'csv'],
  ['a.jsonl.zst', 'jsonl'],
  ['a.ndjson', 'jsonl'],
  ['a.json', 'jsonl'],
  ['a.json.bz2', undefined],
  ['jsonl', undefined],
])('the format of %s is %s', (path, format) => {
  expect(formatOfPath(path)).toBe(format);
});

test('only .json leaves open what is in it', () => {
  expect(['a.json', 'a.json.gz', 'a.jsonl', 'a.csv'].map(isPlainJson)).toEqual([true, true, false, false]);
});

test('files that are no data do not count, foreign data does where there is more of it', () => {
  expect(decideFormat(['a.csv', 'LICENSE', 'run.py', 'LICENSE.txt'], 'It')).toEqual({
    kind: 'tabular',
    format: 'csv',
    paths: ['a.csv'],
  });
  expect(decideFormat(['a.csv', '1.png', '2.png'], 'It')).toEqual({
    kind: 'unreadable',
    reason: 'It is not in Parquet, CSV or JSONL files but in files like 1.png',
  });
  expect(decideFormat([], 'It')).toMatchObject({ kind: 'unreadable' });
});

test('two formats are refused with a file of each, and how many more', () => {
  expect(() => decideFormat(['a.csv', 'b.csv', 'c.parquet'], 'It')).toThrow(
    'It mixes formats: csv (a.csv and 1 more), parquet (c.parquet).',
  );
});

describe('the start of a .json file', () => {
  const faultOf = (text: string) => jsonFault(Buffer.from(text), 'a.json');

  test.each([
    ['', undefined],
    ['{"a":1}', undefined],
    ['{"a":1}\n{"a":2}\n', undefined],
    ['\uFEFF{"a":1}\r\n{"a":2}', undefined],
    [`{"a":"${'x'.repeat(JSON_HEAD_BYTES)}`, undefined],
    ['[{"a":1}]', undefined],
    [' \n[ \n', undefined],
    ['[]', undefined],
    [' \n[1]', 'is a list of other things than objects'],
    ['[[{"a":1}]]', 'is a list of other things than objects'],
    ['{\n  "a": 1\n}', 'is one JSON document over many lines'],
    ['"text"\n', 'does not begin with a JSON object'],
    ['<html>', 'does not begin with a JSON object'],
  ])('%j', (text, fault) => {
    if (fault === undefined) expect(faultOf(text)).toBeUndefined();
    else expect(faultOf(text)).toContain(fault);
  });

  test('is read from a compressed file that is not here whole', () => {
    const lines = Array.from({ length: 30_000 }, (_, i) => JSON.stringify({ i, h: Math.sin(i) })).join('\n');
    for (const [path, packed] of [
      ['a.json.gz', gzipSync(lines)],
      ['a.json.zst', zstdCompressSync(lines)],
    ] as const) {
      expect(packed.length).toBeGreaterThan(JSON_HEAD_BYTES);
      expect(jsonFault(packed.subarray(0, JSON_HEAD_BYTES), path)).toBeUndefined();
    }
    expect(
      jsonFault(gzipSync(`[1,${lines.replaceAll('\n', ',')}]`).subarray(0, 1000), 'a.json.gz'),
    ).toContain('other things than objects');
  });

  test('is unpacked within bounded memory, however much its few bytes stand for', () => {
    const letters = Buffer.alloc(256 * 1024 ** 2, 97);
    letters.write('{"a":"');
    for (const [path, packed] of [
      ['a.json.gz', gzipSync(letters, { level: 1 })],
      ['a.json.zst', zstdCompressSync(letters)],
    ] as const) {
      const before = process.memoryUsage().arrayBuffers;
      expect(jsonFault(packed.subarray(0, JSON_HEAD_BYTES), path)).toBeUndefined();
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64_000_000);
    }
  });
});
