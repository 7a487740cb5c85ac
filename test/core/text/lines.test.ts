import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lineBounds, linesOf } from '../../../src/core/text/lines.ts';

async function textsOf(chunks: readonly Buffer[]): Promise<string[]> {
  async function* stream() {
    yield* chunks;
  }
  const lines: string[] = [];
  for await (const line of linesOf(stream())) lines.push(line.toString());
  return lines;
}

test('wherever a stream is cut, its lines are those of the whole text', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.constantFrom('a', '\n', '\r', 'é', '😀', '\u2028', '\u2029', '\u0085') }),
      fc.array(fc.nat(40)),
      async (text, cuts) => {
        const bytes = Buffer.from(text);
        const bounds = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort(
          (a, b) => a - b,
        );
        const chunks = bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end));
        const expected = text.split('\n');
        if (expected.at(-1) === '') expected.pop();
        expect(await textsOf(chunks)).toEqual(expected);
      },
    ),
  );
});

test('a line longer than the limit is told by its number, before more of it is held', async () => {
  const limit = { maxBytes: 4, tooLong: (line: number) => new Error(`line ${line}`) };
  const read = { chunks: 0, lines: [] as string[] };
  const readAll = async (...chunks: string[]) => {
    async function* stream() {
      for (const chunk of chunks) {
        read.chunks += 1;
        yield Buffer.from(chunk);
      }
    }
    for await (const line of linesOf(stream(), limit)) read.lines.push(line.toString());
  };
  await readAll('abcd\nab', 'cd\n', 'abcd');
  expect(read).toEqual({ chunks: 3, lines: ['abcd', 'abcd', 'abcd'] });
  await expect(readAll('a\nabcde\n')).rejects.toThrow('line 2');
  await expect(readAll('a\nab', 'cd', 'e', 'never read')).rejects.toThrow('line 2');
  expect(read.chunks).toBe(7);
});

test('the bounds of lines are those among the first bytes that have a newline', () => {
  const bytes = Buffer.from('a\n\nbc\nrest\n');
  expect([...lineBounds(bytes, 8)]).toEqual([
    { start: 0, end: 1 },
    { start: 2, end: 2 },
    { start: 3, end: 5 },
  ]);
  expect([...lineBounds(bytes)].at(-1)).toEqual({ start: 6, end: 10 });
  expect([...lineBounds(Buffer.alloc(0))]).toEqual([]);
});
