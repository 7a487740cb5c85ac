import { ListModelInvocationJobsCommand, StopModelInvocationJobCommand } from '@aws-sdk/client-bedrock';
import { InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  FaultRule,
  type FaultScript,
  generateFaults,
  readFaultScript,
} from '../../../src/emulator/faults/faults.ts';
import { type Bench, CLAUDE, INPUT, NOVA, novaInput, novaRecords, openBench } from '../emulator-bench.ts';

async function benchWith(faults: FaultScript, records = 200): Promise<Bench> {
  const bench = await openBench({ faults, trackRecords: true });
  await bench.store.write(INPUT, novaRecords(records));
  return bench;
}

async function rawLines(bench: Bench, jobArn: string): Promise<string[]> {
  const bytes = await bench.store.read(`s3://data-bucket/out/${jobArn.slice(-12)}/records.jsonl.out`);
  return Buffer.from(bytes).toString().trimEnd().split('\n');
}

test.each([
  ['create-throttled', { kind: 'create-throttled' }, 'ThrottlingException', 429],
  ['create-quota-exceeded', { kind: 'create-quota-exceeded' }, 'ServiceQuotaExceededException', 400],
  ['create-server-error', { kind: 'create-server-error' }, 'InternalServerException', 500],
  [
    'create-server-error 503',
    { kind: 'create-server-error', httpStatus: 503 },
    'ServiceUnavailableException',
    503,
  ],
] as const)('%s refuses as often as it says, and makes no job', async (_, fault, name, httpStatusCode) => {
  await using bench = await benchWith([{ times: 2, fault }]);
  for (const _attempt of [1, 2]) {
    await expect(bench.create()).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
  }
  await bench.create();
  expect((await bench.emulator.usage()).totals.jobs).toBe(1);
});

test.each(['dropped', 'server-error'] as const)(
  'a create answer that is lost (%s) leaves the job made',
  async (how) => {
    await using bench = await benchWith([{ fault: { kind: 'create-response-lost', how } }]);
    await expect(bench.create({ clientRequestToken: 'token' })).rejects.toThrow();
    const jobArn = await bench.create({ clientRequestToken: 'token' });
    expect((await bench.end(jobArn)).status).toBe('Completed');
    expect((await bench.emulator.usage()).totals).toMatchObject({ jobs: 1, answered: 200 });
  },
);

test('how often a rule applied is remembered over a restart', async () => {
  await using bench = await benchWith([{ times: 2, fault: { kind: 'create-throttled' } }]);
  await expect(bench.create()).rejects.toThrow();
  await bench.restart();
  await expect(bench.create()).rejects.toThrow();
  await bench.restart();
  await bench.create();
});

test('get, list and stop are throttled and fail', async () => {
  await using bench = await benchWith([
    { fault: { kind: 'get-throttled' } },
    { fault: { kind: 'get-server-error', httpStatus: 503 } },
    { fault: { kind: 'list-throttled' } },
    { fault: { kind: 'stop-throttled' } },
  ]);
  const jobArn = await bench.create();
  const list = () => bench.clock.busy(() => bench.bedrock.send(new ListModelInvocationJobsCommand({})));
  const stop = () =>
    bench.clock.busy(() => bench.bedrock.send(new StopModelInvocationJobCommand({ jobIdentifier: jobArn })));
  await expect(bench.get(jobArn)).rejects.toMatchObject({ name: 'ThrottlingException' });
  await expect(bench.get(jobArn)).rejects.toMatchObject({ name: 'ServiceUnavailableException' });
  await expect(list()).rejects.toMatchObject({ name: 'ThrottlingException' });
  await expect(stop()).rejects.toMatchObject({ name: 'ThrottlingException' });
  expect((await bench.get(jobArn)).status).toBe('Submitted');
  expect((await list()).invocationJobSummaries).toHaveLength(1);
});

test('calls of the runtime are throttled, fail, and get lost after they were paid', async () => {
  await using bench = await benchWith([
    { fault: { kind: 'invoke-throttled' } },
    { fault: { kind: 'invoke-error', errorName: 'ModelTimeoutException', message: 'too slow' } },
    { fault: { kind: 'invoke-response-lost', how: 'server-error' } },
    { fault: { kind: 'invoke-response-lost' } },
  ]);
  const invoke = () =>
    bench.runtime.send(new InvokeModelCommand({ modelId: NOVA, body: JSON.stringify(novaInput('Hi')) }));
  await expect(invoke()).rejects.toMatchObject({ name: 'ThrottlingException' });
  await expect(invoke()).rejects.toMatchObject({ name: 'ModelTimeoutException', message: 'too slow' });
  await expect(invoke()).rejects.toMatchObject({ name: 'InternalServerException' });
  await expect(invoke()).rejects.toThrow();
  await invoke();
  const usage = await bench.emulator.usage();
  expect(usage.onDemand.calls).toBe(3);
  expect(usage.tracked?.bodiesAnsweredMoreThanOnce).toEqual([{ digest: expect.any(String), times: 3 }]);
});

test('a job fails in validation with the message of the script, or with the misleading one of a KMS key', async () => {
  await using bench = await benchWith([
    { when: { jobs: [1] }, fault: { kind: 'validation-failed', message: 'Because.' } },
    { when: { jobName: '^kms' }, fault: { kind: 'kms-denied' } },
    { when: { tag: { key: 'fault', value: 'put' } }, fault: { kind: 'kms-denied', operation: 'PutObject' } },
  ]);
  const jobs = [
    await bench.end(await bench.create({ jobName: 'a' })),
    await bench.end(await bench.create({ jobName: 'kms-1' })),
    await bench.end(await bench.create({ jobName: 'c', tags: [{ key: 'fault', value: 'put' }] })),
    await bench.end(await bench.create({ jobName: 'd', tags: [{ key: 'fault', value: 'x' }] })),
  ];
  expect(jobs.map(({ status, message }) => [status, message])).toEqual([
    ['Failed', 'Because.'],
    [
      'Failed',
      'Could not validate GetObject permissions to access Amazon S3 bucket: data-bucket at key in/records.jsonl',
    ],
    [
      'Failed',
      'Could not validate PutObject permissions to access Amazon S3 bucket: data-bucket at key out/',
    ],
    ['Completed', undefined],
  ]);
});

test.each([
  ['Failed', 'InProgress', true, 50],
  ['Failed', 'InProgress', false, undefined],
  ['Stopped', 'InProgress', true, 50],
  ['PartiallyCompleted', 'InProgress', true, 50],
  ['Expired', 'Scheduled', true, undefined],
  ['Failed', 'Submitted', true, undefined],
  ['Stopped', 'Validating', true, undefined],
] as const)('a job ends as %s in %s, keeping its output: %s', async (status, stage, keepsOutput, lines) => {
  await using bench = await benchWith([
    { fault: { kind: 'job-ended', status, stage, keepsOutput, fraction: 0.25, message: 'As told.' } },
  ]);
  const jobArn = await bench.create();
  const job = await bench.end(jobArn);
  expect([job.status, job.message]).toEqual([status, 'As told.']);
  const output = await bench.output(jobArn).catch(() => undefined);
  expect(output?.length).toBe(lines);
  expect((await bench.emulator.usage()).totals.answered).toBe(lines ?? 0);
});

test('records get errors for good, or in their first job alone', async () => {
  await using bench = await benchWith([
    {
      when: { modelId: 'nova' },
      fault: { kind: 'record-errors', recordIds: ['r000003'], errorCode: 400, errorMessage: 'never' },
    },
    {
      fault: {
        kind: 'record-errors',
        fraction: 0.2,
        errorCode: 503,
        errorMessage: 'later',
        firstAttemptOnly: true,
      },
    },
  ]);
  const errorsOf = async (jobArn: string) => {
    await bench.end(jobArn);
    const errors = (await bench.output(jobArn)).flatMap(({ error }) => (error === undefined ? [] : [error]));
    return {
      never: errors.filter(({ errorCode }) => errorCode === 400).length,
      later: errors.filter(({ errorCode }) => errorCode === 503).length,
    };
  };
  const first = await errorsOf(await bench.create({ jobName: 'a' }));
  expect(first.never).toBe(1);
  expect(first.later).toBeGreaterThan(15);
  expect(first.later).toBeLessThan(70);
  await bench.restart();
  expect(await errorsOf(await bench.create({ jobName: 'b' }))).toEqual({ never: 1, later: 0 });
});

test('records are missing, doubled, unknown, and lines are broken', async () => {
  await using bench = await benchWith([
    { fault: { kind: 'missing-records', recordIds: ['r000001', 'r000002'] } },
    { fault: { kind: 'duplicate-lines', recordIds: ['r000003'] } },
    { fault: { kind: 'unknown-records', count: 2 } },
    { fault: { kind: 'corrupt-lines', recordIds: ['r000004'] } },
    { fault: { kind: 'corrupt-lines', recordIds: ['r000005'], how: 'not-json' } },
    { fault: { kind: 'corrupt-lines', recordIds: ['r000006'], how: 'lone-surrogate' } },
  ]);
  const jobArn = await bench.create();
  expect((await bench.end(jobArn)).processedRecordCount).toBe(198);
  const lines = await rawLines(bench, jobArn);
  expect(lines).toHaveLength(198 + 1 + 2);
  const linesOf = (id: string) => lines.filter((line) => line.includes(`"recordId":"${id}"`));
  expect([linesOf('r000001'), linesOf('r000002')]).toEqual([[], []]);
  expect(linesOf('r000003')).toHaveLength(2);
  const broken = lines.filter((line) => !line.endsWith('}'));
  expect(broken).toHaveLength(2);
  expect(broken).toContain('Internal Server Error');
  expect(linesOf('r000006')[0]).toContain('\\ud800');
  expect(JSON.parse(linesOf('r000006')[0] ?? '').modelOutput.output.message.content[0].text).toMatch(
    /\ud800$/,
  );
});

test('texts end in separators and NUL, and nulls stand where nothing should', async () => {
  await using bench = await benchWith([
    { fault: { kind: 'awkward-text' } },
    { fault: { kind: 'explicit-nulls' } },
    { fault: { kind: 'record-errors', recordIds: ['r000000'] } },
  ]);
  const jobArn = await bench.create();
  await bench.end(jobArn);
  const lines = await rawLines(bench, jobArn);
  expect(lines).toHaveLength(200);
  for (const line of lines) {
    const { modelOutput, error } = JSON.parse(line);
    if (error !== null) expect([modelOutput, error.errorCode]).toEqual([null, 500]);
    else
      expect(modelOutput.output.message.content[0].text).toSatisfy((text: string) =>
        text.endsWith('\u2028\u0085\u0000'),
      );
  }
  expect(lines.find((line) => line.includes('\u2028'))).toContain('\\u0000');
});

test('the manifest is missing, or its counts are wrong', async () => {
  await using bench = await benchWith([
    { when: { jobs: [1] }, fault: { kind: 'manifest-missing' } },
    { when: { jobs: [2] }, fault: { kind: 'manifest-wrong', offBy: 5 } },
  ]);
  const [first, second] = [await bench.create({ jobName: 'a' }), await bench.create({ jobName: 'b' })];
  await bench.end(first);
  await bench.end(second);
  await expect(bench.manifest(first)).rejects.toThrow('There is no object');
  expect((await bench.manifest(second)).totalRecordCount).toBe(205);
});

test('a slow stage takes longer by what the script says', async () => {
  await using bench = await benchWith([
    { fault: { kind: 'slow-stage', stage: 'Scheduled', extraMs: 3_600_000 } },
  ]);
  const jobArn = await bench.create({ modelId: CLAUDE });
  await bench.clock.sleep(3_500_000);
  expect((await bench.get(jobArn)).status).toBe('Scheduled');
  expect((await bench.end(jobArn)).status).toBe('Completed');
});

test('a misspelt fault is refused, and a seed always gives the same valid rules', () => {
  expect(() => readFaultScript([{ fault: { kind: 'create-throtled' } } as never])).toThrow();
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const rules = generateFaults(seed);
      expect(readFaultScript({ seed })).toEqual(rules);
      expect(rules.length).toBeGreaterThanOrEqual(4);
      for (const rule of rules) expect(FaultRule.parse(rule)).toEqual(rule);
    }),
    { numRuns: 50 },
  );
});

test('whatever a seed injects, the counts add up and every line is of a record that was sent or injected', async () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    await using bench = await benchWith({ seed });
    for (let attempt = 0; attempt < 20; attempt += 1) {
      await bench
        .create({ jobName: `job-${attempt}`, clientRequestToken: `token-${attempt}` })
        .catch(() => undefined);
    }
    await bench.clock.sleep(10 * 3_600_000);
    const { jobs, totals } = await bench.emulator.usage();
    expect(jobs.length).toBeGreaterThan(10);
    for (const job of jobs) {
      expect(['Completed', 'PartiallyCompleted', 'Failed', 'Stopped', 'Expired']).toContain(job.status);
      expect(job.answered + job.errors).toBeLessThanOrEqual(job.totalRecords);
    }
    expect(totals.answered).toBe(jobs.reduce((sum, job) => sum + job.answered, 0));
  }
});
