import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linesOf } from '../../src/core/lines.ts';

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
