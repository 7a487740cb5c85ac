// One zod schema for both: the AI SDK labels the review that somebody has just written, Quarry the million that are there.
import { type FlexibleSchema, generateText, type LanguageModel, Output } from 'ai';
import { Quarry } from 'quarry';
import { z } from 'zod';

const Label = z.object({
  mood: z.enum(['good', 'bad', 'mixed']),
  score: z.number().min(0).max(1),
  topics: z.array(z.string()),
});
type Label = z.infer<typeof Label>;
const schema: FlexibleSchema<Label> = Label;

const PROMPT = 'What does this review say? ';

/** Now, at the price of one request. */
export async function labelNow(review: string, model: LanguageModel): Promise<Label> {
  const { output } = await generateText({
    model,
    prompt: PROMPT + review,
    output: Output.object({ schema }),
  });
  return output;
}

/** By tomorrow, at half the price: each row has the same type. */
export async function* labelAll(reviews: AsyncIterable<{ id: number; review: string }>) {
  const quarry = new Quarry(); // target: 'bedrock', bucket, roleArn: in your account
  const run = await quarry.run({
    dataset: reviews,
    model: 'us.amazon.nova-lite-v1:0',
    prompt: `${PROMPT}{review}`,
    outputSchema: Label,
    max_cost_usd: 5,
  });
  await run.result;
  for await (const { id, mood, score, topics, error_code } of quarry.results(run)) {
    if (mood === null || score === null || topics === null) console.error(`${id}: ${error_code}`);
    else yield { id, label: { mood, score, topics } satisfies Label };
  }
}
