/**
 * What a pilot of a hundred rows expects of a run's dollars, beside what the whole run then took by the emulator's own counts: `npm run bench:price`.
 */
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Quarry, type RunRequest } from '../src/index.ts';

const HAIKU = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';
const ROWS = 1_000;
const PILOT = 100;

/** Rows of a kind: every one another, and between a fifth and the whole of the longest. */
function rowsOf(pieces: readonly string[], glue: string): { text: string }[] {
  return Array.from({ length: ROWS }, (_, row) => {
    const words = 20 + ((row * 7919) % 81);
    return {
      text: Array.from({ length: words }, (__, word) => pieces[(row * 31 + word * 17) % pieces.length]).join(
        glue,
      ),
    };
  });
}

const PROSE =
  'the river had risen over night and nobody in the village could say when it would fall again although the old miller claimed he knew'.split(
    ' ',
  );
const CODE =
  'const value = items.filter(({ id }) => id !== undefined);|if (value.length === 0) return [];|for (const item of value) total += item.price * 1.19;|throw new Error(`No item ${id}.`);|export function sum(a: number, b: number): number {|}'.split(
    '|',
  );
const CHINESE =
  '今天天气很好，我们去河边散步。|这个产品质量不错，但是物流太慢。|请问什么时候可以退款？|老板说明天再来。'.split(
    '|',
  );
const JSON_PIECES = [
  '{"id":17,"sku":"A-1"}',
  '{"price":12.5,"currency":"EUR"}',
  '{"tags":["new","sale"],"stock":null}',
  '{"ok":true}',
];

const CASES: Record<string, { rows: { text: string }[]; more?: Partial<RunRequest> }> = {
  'English prose': { rows: rowsOf(PROSE, ' ') },
  code: { rows: rowsOf(CODE, '\n') },
  Chinese: { rows: rowsOf(CHINESE, '') },
  JSON: { rows: rowsOf(JSON_PIECES, ',') },
  'prose, with thinking': {
    rows: rowsOf(PROSE, ' '),
    more: { thinking: 'low', inference_parameters: { max_tokens: 4096 } } as Partial<RunRequest>,
  },
};

console.log(`| rows | a pilot of ${PILOT} expects | the run took | off |\n| --- | --- | --- | --- |`);
for (const [name, { rows, more = {} }] of Object.entries(CASES)) {
  await using directory = await mkdtempDisposable(`${tmpdir()}/quarry-bench-`);
  const quarry = new Quarry({ directory: directory.path });
  const request = {
    dataset: rows,
    model: HAIKU,
    prompt: 'Say what this is about: {text}',
    ...more,
  } as RunRequest;
  const { pilot } = await quarry.pilot(request, PILOT);
  const expected = pilot?.whole?.usd ?? Number.NaN;
  const summary = await (await quarry.run(request)).result;
  const took = summary.cost_usd ?? Number.NaN;
  const off = (100 * (expected - took)) / took;
  console.log(`| ${name} | $${expected.toFixed(4)} | $${took.toFixed(4)} | ${off.toFixed(1)} % |`);
  if (!(Math.abs(off) <= 10)) process.exitCode = 1;
}
