import { beforeEach, expect, test, vi } from 'vitest';
import { toWaveItem, type WaveItem } from '../../src/core/plan/part.ts';
import { STEP_NAMES } from '../../src/workflow/definition.ts';
import { type DoubleAnswer, jsonError, startAwsDouble } from '../support/aws-double.ts';
import { useFunctionWorld } from '../support/function-world.ts';

/** A word that is in the dataset only. */
const SECRET = 'heliotrope';
const CSV = `topic\n${Array.from({ length: 120 }, (_, row) => `${SECRET} ${row}`).join('\n')}\n`;

const world = useFunctionWorld();

beforeEach(() => world.s3.objects.set('data-bucket/datasets/topics.csv', Buffer.from(CSV)));

const INPUT = {
  s3_uri: 's3://data-bucket/datasets/topics.csv',
  model_id: 'us.anthropic.claude-haiku-4-5-20251001-v1:0',
  prompt_template: `A joke about {topic}`,
  run_id: 'jokes',
};

test('there is an entry point for every step', async () => {
  for (const step of STEP_NAMES) {
    const file = step.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const entry: unknown = await import(`../../src/handlers/${file}.ts`);
    expect(entry, step).toHaveProperty('handler', expect.any(Function));
  }
});

test('Plan and Prepare run on S3, and log ids and counts without a word of the dataset', async () => {
  const state = await world.call('plan', INPUT, { awsRequestId: 'request-1' });
  expect(state).toMatchObject({ run_id: 'jokes', bucket: 'data-bucket' });
  const slice = { run_uri: 's3://data-bucket/runs/jokes', slice: 0 };
  await world.call('prepare', slice, { awsRequestId: 'request-2' });

  expect(world.s3.objects.get('data-bucket/working/jokes/parts/p00001/records.jsonl')?.toString()).toContain(
    SECRET,
  );
  expect(world.lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'INFO', message: 'plan is done', run_id: 'jokes', request_id: 'request-1' },
    {
      level: 'INFO',
      message: 'prepare is done',
      run_id: 'jokes',
      slice: 0,
      parts: 1,
      request_id: 'request-2',
    },
  ]);
  expect(world.lines.join('')).not.toContain(SECRET);
});

test('Plan packs by the quotas of its account, and goes on where it may not read them', async () => {
  const RECORDS = 'Records per batch inference job for Claude Haiku 4.5';
  let answer: DoubleAnswer = { body: { Quotas: [{ QuotaName: RECORDS, Value: 60_000 }] } };
  await using double = await startAwsDouble({ ListServiceQuotas: () => answer });
  vi.stubEnv('AWS_ENDPOINT_URL_SERVICE_QUOTAS', double.url);
  const planned = async (run_id: string) => {
    await world.call('plan', { ...INPUT, run_id });
    return JSON.parse(world.s3.objects.get(`data-bucket/runs/${run_id}/plan.json`)?.toString() ?? '');
  };
  expect(await planned('asked')).toMatchObject({
    notes: [],
    quotas: {
      records_per_job: { value: 60_000, source: 'account' },
      jobs_at_once: { value: 100, source: 'stack' },
    },
  });
  answer = jsonError('AccessDeniedException', 'No.', 403);
  expect(await planned('denied')).toMatchObject({
    notes: [
      'Could not read the quotas of Bedrock: No. Allow servicequotas:ListServiceQuotas. The run is packed without them; a job that finds no slot waits.',
    ],
    quotas: { records_per_job: { value: 100_000, source: 'stack' } },
  });
});

test('a step without one of the rights that it uses is refused by S3', async () => {
  const needed = world.policies.plan.filter(({ action }) => /^s3:(?:Get|List|Put)/.test(action));
  const refused: string[] = [];
  for (const right of needed) {
    world.policies = { ...world.policies, plan: needed.filter((other) => other !== right) };
    world.s3.objects.clear();
    world.s3.objects.set('data-bucket/datasets/topics.csv', Buffer.from(CSV));
    const ended = await world.call('plan', { ...INPUT, dedupe: true }).catch((error: Error) => error);
    if (ended instanceof Error) refused.push(`${right.action} ${right.resource.replace(/^.*?BUCKET/, '')}`);
  }
  expect(refused).toEqual(
    expect.arrayContaining(['s3:GetObject /*', 's3:ListBucket ', 's3:PutObject /runs/*/plan.json']),
  );
});

test('a step that is called twice, as Lambda retries it, leaves the same and says the same', async () => {
  const first = await world.call('plan', INPUT);
  const objects = new Map(world.s3.objects);
  expect(await world.call('plan', INPUT)).toEqual(first);
  expect(world.s3.objects).toEqual(objects);
});

test('an error keeps its name, which the state machine matches, and its message is in the log', async () => {
  const { handler } = await import('../../src/handlers/plan.ts');
  await expect(handler({ ...INPUT, max_record: 5 })).rejects.toMatchObject({ name: 'InvalidRunInputError' });
  expect(JSON.parse(world.lines[0] ?? '')).toMatchObject({
    level: 'ERROR',
    message: 'plan failed',
    error: 'InvalidRunInputError',
    error_message: expect.stringContaining('did you mean "max_records"'),
    retryable: false,
  });
});

test('an error that is not ours is logged by its name alone, since it may quote the data', async () => {
  const { failedLine } = await import('../../src/handlers/step-log.ts');
  const error = Object.assign(new Error(`cannot parse "${SECRET}"`), { name: 'ConversionError' });
  const line = failedLine(
    'collect',
    { part: { run_uri: 's3://b/runs/r', part_id: 'p00001', wave: 1 } },
    error,
  );
  expect(line).toEqual({
    level: 'ERROR',
    message: 'collect failed',
    step: 'collect',
    run_id: 'r',
    part_id: 'p00001',
    wave: 1,
    error: 'ConversionError',
    thrown_at: expect.arrayContaining([expect.stringContaining('handlers.test.ts')]),
  });
  expect(JSON.stringify(line)).not.toContain(SECRET);
});

test('what an earlier invocation left on the disk is gone before the next one works', async () => {
  const { SCRATCH_DIRECTORY } = await import('../../src/handlers/step-deps.ts');
  const { mkdir, writeFile } = await import('node:fs/promises');
  const { existsSync } = await import('node:fs');
  await mkdir(SCRATCH_DIRECTORY, { recursive: true });
  await writeFile(`${SCRATCH_DIRECTORY}/leftover`, 'x');
  const { handler } = await import('../../src/handlers/plan.ts');
  await handler(INPUT);
  expect(existsSync(`${SCRATCH_DIRECTORY}/leftover`)).toBe(false);
});

test.each(['collect', 'repack'] as const)(
  '%s that breaks at its first read leaves word of it',
  async (step) => {
    const part: WaveItem = toWaveItem({
      ...{ run_uri: 's3://data-bucket/runs/gone', part_id: 'p00001', variant: 0, wave: 1, attempt: 1 },
      ...{ mode: 'batch', records: 100, bytes: 10_000, sources: [], run_max_usd: null },
    });
    await expect(world.call(step, step === 'collect' ? { part } : part)).rejects.toThrow('plan');
    const word = world.s3.objects.get('data-bucket/runs/gone/faults/p00001.json')?.toString() ?? '{}';
    expect(JSON.parse(word)).toMatchObject({ message: expect.stringContaining('plan') });
  },
);
