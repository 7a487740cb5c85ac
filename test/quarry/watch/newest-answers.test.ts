import { expect, test } from 'vitest';
import { anthropicMessages } from '../../../src/models/adapters/anthropic-messages.ts';
import { createAnswerReader } from '../../../src/quarry/watch/newest-answers.ts';
import type { ResultColumns } from '../../../src/rows/results/result-columns.ts';
import { resultColumnsOf } from '../../../src/rows/results/result-columns.ts';
import { runLayout } from '../../../src/runs/run-layout.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const LAYOUT = runLayout('s3://bucket/runs/jokes');
const COLUMNS: ResultColumns = resultColumnsOf({
  shape: anthropicMessages.output,
  outputColumn: undefined,
  recordIdColumn: undefined,
});

const line = (recordId: string, text: string) =>
  `${JSON.stringify({
    modelInput: {
      anthropic_version: 'bedrock-2023-05-31',
      messages: [{ role: 'user', content: `Say ${recordId}` }],
    },
    modelOutput: { content: [{ type: 'text', text }], stop_reason: 'end_turn', usage: {} },
    recordId,
  })}\n`;

const PART = { part_id: 'p00001', variant: 0 };

async function world() {
  const store = createDirectoryStore(await temporaryDirectory());
  const at = (name: string) => `${LAYOUT.modelOutput('p00001')}/job/${name}` as const;
  return { store, at, reader: createAnswerReader({ layout: LAYOUT, columns: [COLUMNS] }, store) };
}

test('the newest answers are the last lines of what a job has written, and each is told once', async () => {
  const { store, at, reader } = await world();
  expect(await reader.read([PART])).toEqual([]);
  await store.write(
    at('records.jsonl.out'),
    ['r1', 'r2', 'r3', 'r4'].map((id) => line(id, `${id}!`)).join(''),
  );
  await store.write(at('manifest.json.out'), '{}');
  const first = await reader.read([PART, { ...PART, part_id: 'p00002' }]);
  expect(first).toEqual(
    ['r4', 'r3', 'r2'].map((recordId) => ({
      partId: 'p00001',
      recordId,
      asked: `Say ${recordId}`,
      text: `${recordId}!`,
      errorCode: null,
    })),
  );
  expect(await reader.read([PART])).toEqual([]);
});

test('of a long file its end is read, and lines that are cut off or nothing are passed over', async () => {
  const { store, at, reader } = await world();
  const long = line('r1', 'x'.repeat(200_000));
  const error = `${JSON.stringify({ recordId: 'r3', error: { errorCode: 400, errorMessage: 'Too long.' } })}\n`;
  await store.write(
    at('records.jsonl.out'),
    `${long}${line('r2', 'two')}nonsense\n${error}{"recordId":"r4","mod`,
  );
  expect(await reader.read([PART])).toMatchObject([
    { recordId: 'r3', errorCode: '400', text: 'Too long.', asked: '' },
  ]);
});

test('a long answer is shown by its beginning', async () => {
  const { store, at, reader } = await world();
  await store.write(at('records.jsonl.out'), line('r1', 'x'.repeat(50_000)));
  const [answer] = await reader.read([PART]);
  expect(answer?.text.length).toBe(4_001);
});
