import { expect, test, vi } from 'vitest';
import { ACCOUNT, openBedrockWorld } from '../../support/bedrock-world.ts';
import { runQuarry } from '../../support/run-quarry.ts';

const SLOTS = 'Sum of in-progress and submitted batch inference jobs using a base model for Amazon Nova Lite';
const RECORDS = 'Records per batch inference job for Amazon Nova Lite';
const PROFILE = `arn:aws:bedrock:us-west-2:${ACCOUNT}:application-inference-profile/abc123`;

test('a run is packed by the quotas of its account, and the plan says where they come from', async () => {
  const world = await openBedrockWorld();
  const file = await world.writeRows(6_000);
  const plan = (...flags: string[]) =>
    runQuarry('plan', file, ...world.flags, '--min-records-per-job-spread', '100', ...flags);
  // Another model's quotas are not this one's.
  Object.assign(world.quotas, { [SLOTS]: 4, [RECORDS]: 1_000, [`${RECORDS} Two`]: 7 });
  const { out } = await plan('--json');
  expect(JSON.parse(out)).toMatchObject({
    parts: 8,
    schedule: { jobs_in_flight: 4, balanced: { largest: 750 } },
    quotas: {
      records_per_job: { value: 1_000, source: 'account' },
      jobs_at_once: { value: 4, source: 'account' },
      min_records_per_job: { value: 100, source: 'default' },
      defaults_as_of: '2026-10',
    },
  });
  expect((await plan()).out).toContain(
    'Quotas: at most 1,000 records a job and 4 jobs at once, by Service Quotas of this account.',
  );
  const told = await plan('--records-per-job-quota', '3000');
  expect(told.out).toContain(
    'Quotas: at most 3,000 records a job, by what you told; 4 jobs at once, by Service Quotas of this account.',
  );
  const refused = await plan('--max-records-per-job', '1001');
  expect(refused.status).toBe(1);
  expect(refused.err).toContain(
    'max_records_per_job is 1001, but a job may have 1,000 records at most by this account',
  );
});

test('a run is sent by more slots and larger jobs than AWS’s defaults, where the account has them', async () => {
  const world = await openBedrockWorld();
  const file = await world.writeRows(250);
  Object.assign(world.quotas, { [SLOTS]: 120, [RECORDS]: 200_000 });
  const { out, err, status } = await runQuarry(
    ...['run', file, ...world.flags, '--max-records-per-job', '150000', '--json'],
  );
  expect(status, err).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ status: 'succeeded', rows: { succeeded: 250 } });
});

test('where the quotas cannot be read the defaults hold, and the plan says so and why', async () => {
  const world = await openBedrockWorld();
  const file = await world.writeRows(150);
  // Nobody listens there.
  vi.stubEnv('AWS_ENDPOINT_URL_SERVICE_QUOTAS', 'http://127.0.0.1:1');
  const { out, status } = await runQuarry('plan', file, ...world.flags);
  expect(status).toBe(0);
  expect(out).toContain(
    'Quotas: at most 100,000 records a job and 100 jobs at once, by AWS’s defaults as of 2026-10.',
  );
  expect(out).toMatch(/Note: Could not read the quotas of Bedrock: .+ The run is packed without them/);
});

test('what an application inference profile is of is asked: adapter, price and limits follow', async () => {
  const world = await openBedrockWorld({ applicationProfiles: { abc123: 'amazon.nova-lite-v1:0' } });
  const file = await world.writeRows(150);
  const flags = world.flags.map((flag) => (flag === 'us.amazon.nova-lite-v1:0' ? PROFILE : flag));
  world.quotas[SLOTS] = 7;
  const plan = JSON.parse((await runQuarry('plan', file, ...flags, '--json')).out);
  expect(plan).toMatchObject({ model_id: PROFILE, quotas: { jobs_at_once: { value: 7 } } });
  expect(plan.estimate.max_usd).toBeGreaterThan(0);
  const { out, err, status } = await runQuarry('run', file, ...flags, '--run-id', 'asked', '--json');
  expect(status, err).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ status: 'succeeded', cost_usd: expect.any(Number) });
  // Planned once, it is not asked again: a run goes on also where the profile may no more be looked at.
  world.proxy.fault = (request) =>
    request.includes('/inference-profiles/')
      ? { status: 403, name: 'AccessDeniedException', message: 'No.' }
      : undefined;
  const again = await runQuarry('run', file, ...flags, '--run-id', 'asked', '--json');
  expect(again.status, again.err).toBe(0);
});

test('a profile that may not be looked at is told by base_model_id, and one that is not there is refused', async () => {
  const world = await openBedrockWorld({ applicationProfiles: { abc123: 'amazon.nova-lite-v1:0' } });
  const file = await world.writeRows(150);
  const flagsOf = (model: string) =>
    world.flags.map((flag) => (flag === 'us.amazon.nova-lite-v1:0' ? model : flag));
  const missing = await runQuarry('plan', file, ...flagsOf(PROFILE.replace('abc123', 'other')));
  expect(missing.status).toBe(1);
  expect(missing.err).toContain(
    `There is no inference profile ${PROFILE.replace('abc123', 'other')} in us-west-2. Check its spelling, the account and the region.`,
  );
  world.proxy.fault = (request) =>
    request.includes('/inference-profiles/')
      ? { status: 403, name: 'AccessDeniedException', message: 'No.' }
      : undefined;
  const denied = await runQuarry('plan', file, ...flagsOf(PROFILE));
  expect(denied.out).toContain(
    `Note: Could not look at the inference profile ${PROFILE}: No. Allow bedrock:GetInferenceProfile. Without it, base_model_id says what model ${PROFILE} is of.`,
  );
  const told = await runQuarry(
    ...['plan', file, ...flagsOf(PROFILE), '--base-model-id', 'amazon.nova-lite-v1:0', '--json'],
  );
  expect(JSON.parse(told.out).estimate.max_usd).toBeGreaterThan(0);
  expect(JSON.parse(told.out).notes.join(' ')).not.toContain('GetInferenceProfile');
});

test('input tokens are counted by CountTokens where the model has it, and are then what the run takes', async () => {
  const world = await openBedrockWorld();
  const file = await world.writeRows(40);
  const claude = [...world.flags, '--model-id', 'anthropic.claude-3-haiku-20240307-v1:0'];
  const plan = JSON.parse((await runQuarry('plan', file, ...claude, '--json')).out);
  expect(plan.estimate.counted).toEqual({ by: 'count_tokens', rows: 40, family_error: 0 });
  const { tokens } = JSON.parse((await runQuarry('run', file, ...claude, '--json')).out);
  expect(tokens.input).toBe(plan.estimate.input_tokens);
  expect((await runQuarry('plan', file, ...claude)).out).toContain(', counted by CountTokens on 40 rows\n');
  // Nova has no such count.
  expect((await runQuarry('plan', file, ...world.flags)).out).toContain(
    ', counted on 40 rows by the tokenizer o200k, which is up to 35 % off for this model\n',
  );
});

test('where CountTokens cannot be asked, a tokenizer counts, and the plan says why', async () => {
  const world = await openBedrockWorld();
  const file = await world.writeRows(10);
  vi.stubEnv('AWS_ENDPOINT_URL_BEDROCK_RUNTIME', 'http://127.0.0.1:1');
  const { out, status } = await runQuarry(
    ...['plan', file, ...world.flags, '--model-id', 'anthropic.claude-3-haiku-20240307-v1:0'],
  );
  expect(status).toBe(0);
  expect(out).toContain('counted on 10 rows by the tokenizer o200k');
  expect(out).toContain('So input tokens are not counted by CountTokens, which is free of charge');
});
