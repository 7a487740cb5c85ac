import { Quarry } from 'quarry';

/** Embeds sentences; the Parquet files of the vectors. */
export async function embed(sentences: Iterable<{ id: number; input_text: string }>) {
  const quarry = new Quarry();
  const run = await quarry.run({
    dataset: sentences,
    model: 'amazon.titan-embed-text-v2:0',
    inference_parameters: { dimensions: 256, normalize: true },
  });
  await run.result;
  return {
    files: [...(await quarry.files(run))],
    rows: quarry.results<{ id: string; embedding: number[] | null }>(run),
  };
}
