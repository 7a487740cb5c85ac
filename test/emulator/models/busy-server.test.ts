import { expect, test } from 'vitest';
import { openModelServer } from '../../support/model-server-double.ts';
import { INPUT, novaRecords, openBench } from '../emulator-bench.ts';

test('a server that is busy now and then loses no record, and gets the time that it asks for', async () => {
  let free = 0;
  await using double = await openModelServer({
    // Two answers, then a minute of rest.
    instead: () => {
      free += 1;
      if (free <= 2) return undefined;
      free = 0;
      return { status: 429, text: 'slow down', headers: { 'retry-after': '60' } };
    },
  });
  await using bench = await openBench({ modelServer: { url: double.url }, trackRecords: true });
  await bench.store.write(INPUT, novaRecords(100));
  const startedMs = bench.clock.now();
  const job = await bench.end(await bench.create());
  expect(job).toMatchObject({ status: 'Completed', successRecordCount: 100, errorRecordCount: 0 });
  expect((await bench.emulator.usage()).tracked).toMatchObject({ recordIds: 100, answeredMoreThanOnce: [] });
  expect(bench.clock.now() - startedMs).toBeGreaterThan(10 * 60_000);
  const answered = double.requests.length - Math.floor(double.requests.length / 3);
  expect(answered).toBe(100);
});

test('a record that the server never answers is asked for six times at most, and the others are answered', async () => {
  await using double = await openModelServer({
    instead: ({ text }) => (text === 'Question 7' ? { status: 500, text: 'out of memory' } : undefined),
  });
  await using bench = await openBench({ modelServer: { url: double.url } });
  await bench.store.write(INPUT, novaRecords(100));
  const jobArn = await bench.create();
  expect(await bench.end(jobArn)).toMatchObject({ successRecordCount: 99, errorRecordCount: 1 });
  const bad = (await bench.output(jobArn)).find(({ error }) => error !== undefined);
  expect([bad?.recordId, bad?.error]).toEqual([
    'r000007',
    { errorCode: 500, errorMessage: 'The model server answered 500: out of memory' },
  ]);
  expect(double.requests.filter(({ text }) => text === 'Question 7').length).toBeLessThanOrEqual(6);
  expect(double.requests.length).toBeLessThanOrEqual(105);
});

test('a server that goes away ends its job soon, with every answer that it gave', async () => {
  await using double = await openModelServer({
    instead: (_, number) => (number <= 40 ? undefined : { status: 503, text: 'bye' }),
  });
  await using bench = await openBench({ modelServer: { url: double.url }, trackRecords: true });
  await bench.store.write(INPUT, novaRecords(1000));
  const jobArn = await bench.create();
  const job = await bench.end(jobArn);
  expect(job).toMatchObject({ status: 'Failed', totalRecordCount: 1000, successRecordCount: 40 });
  expect(job.message).toBe(
    'The model server answered 503: bye. The output has the 40 answers that there were.',
  );
  expect((await bench.output(jobArn)).filter(({ modelOutput }) => modelOutput !== undefined)).toHaveLength(
    40,
  );
  expect((await bench.emulator.usage()).totals.answered).toBe(40);
  expect(double.requests.length).toBeLessThan(40 + 40);
});

test('on demand, the client is told how long the server wants to be left alone', async () => {
  await using double = await openModelServer({
    instead: () => ({ status: 429, text: 'slow down', headers: { 'retry-after': '17' } }),
  });
  await using bench = await openBench({ modelServer: { url: double.url } });
  const response = await fetch(`${bench.emulator.url}/model/us.amazon.nova-micro-v1%3A0/converse`, {
    method: 'POST',
    body: JSON.stringify({ messages: [{ role: 'user', content: [{ text: 'Hi' }] }] }),
  });
  expect([response.status, response.headers.get('retry-after')]).toEqual([429, '17']);
  expect(double.requests).toHaveLength(1);
});
