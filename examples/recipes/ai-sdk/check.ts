import assert from 'node:assert/strict';
import { MockLanguageModelV4 } from 'ai/test';
import { labelAll, labelNow } from './label-reviews.ts';

const text = JSON.stringify({ mood: 'good', score: 1, topics: ['service'] });
const model = new MockLanguageModelV4({
  doGenerate: async () => ({
    content: [{ type: 'text', text }],
    finishReason: { unified: 'stop', raw: undefined },
    usage: {
      inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: 1, text: 1, reasoning: 0 },
    },
    warnings: [],
  }),
});
assert.equal((await labelNow('Lovely.', model)).mood, 'good');

async function* reviews() {
  for (let id = 0; id < 120; id += 1) yield { id, review: `Review ${id}` };
}
const labels = await Array.fromAsync(labelAll(reviews()));
assert.equal(labels.length, 120);
assert.ok(labels.every(({ label }) => ['good', 'bad', 'mixed'].includes(label.mood) && label.score <= 1));
