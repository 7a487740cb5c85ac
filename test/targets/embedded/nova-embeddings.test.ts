import { expect, test } from 'vitest';
import { simulatedEmbedding } from '../../../src/emulator/models/simulated-model.ts';
import { openEmulatedTarget, outputRows, runRows } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const MODEL = 'amazon.nova-2-multimodal-embeddings-v1:0';
const KEYS = {
  model_id: MODEL,
  prompt_template: undefined,
  text_column: 'name',
  inference_parameters: { dimensions: 256, embedding_purpose: 'clustering' },
};

test('Nova’s embeddings come back with their rows, and cost what the job’s manifest counts, as their answers tell no tokens', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({ directory });
  const prices = { [MODEL]: { input_per_million: 1, output_per_million: 0 } };
  const result = await runRows(120, emulated, { directory, keys: { ...KEYS, prices } });
  expect(result).toMatchObject({
    kind: 'finished',
    summary: { status: 'succeeded', tokens: { input: 240, output: 0 }, cost_usd: 0.00024 },
  });
  const rows = await outputRows(result, directory);
  expect(rows).toHaveLength(120);
  for (const { name, embedding, input_tokens } of rows) {
    expect(input_tokens).toBeNull();
    const expected = simulatedEmbedding(MODEL, String(name), { dimensions: 256 });
    expect((embedding as number[]).map((value) => Math.fround(value))).toEqual(
      expected.map((value) => Math.fround(value)),
    );
  }
});
