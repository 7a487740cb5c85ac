import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { type BedrockWorld, BUCKET, openBedrockWorld, ROLE } from '../../support/bedrock-world.ts';
import { runQuarry } from '../../support/run-quarry.ts';
import type { S3Fault } from '../../support/s3-double.ts';

const ASK = ['--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', 'Say {n}'];

/** Nothing was sent to Bedrock, and S3 has nothing of it but at most the dataset. */
async function expectNothingSpent({ s3, proxy, emulator, dir }: BedrockWorld): Promise<void> {
  expect(proxy.requests.filter((request) => request.startsWith('POST'))).toEqual([]);
  expect((await emulator.usage()).totals).toMatchObject({ jobs: 0, answered: 0 });
  expect([...s3.objects.keys()].filter((key) => !key.includes('/datasets/'))).toEqual([]);
  expect(existsSync(join(dir, 'known-runs'))).toBe(false);
}

test('options that are missing or malformed are refused, all at once, before anything is asked of AWS', async () => {
  const world = await openBedrockWorld();
  const file = await world.writeRows(3);
  const run = (...args: string[]) =>
    runQuarry('run', file, ...ASK, '--dir', world.dir, '--target', 'bedrock', ...args);
  vi.stubEnv('AWS_REGION', undefined);
  const nothing = await run();
  expect(nothing.status).toBe(1);
  expect(nothing.err).toMatch(
    /Error: .*Nothing was sent\.\n {2}- --bucket is missing[\s\S]*\(InvalidRunInputError\)/,
  );
  expect(nothing.err).toMatch(/--role-arn is missing: .*arn:aws:iam::<account>:role\/<name>/);
  expect(nothing.err).toContain('no AWS region is set: give --region, or set AWS_REGION');
  const malformed = await run('--bucket', 's3://B', '--role-arn', 'admin', '--region', 'Oregon');
  expect(malformed.err).toContain('--bucket "s3://B" is not a bucket’s name');
  expect(malformed.err).toContain('--role-arn "admin" is not a role’s ARN');
  expect(malformed.err).toContain('"Oregon" is not an AWS region');
  const owner = await run('--bucket', BUCKET, '--role-arn', ROLE, '--bucket-owner', '12', '--region', 'x');
  expect(owner.err).toContain('--bucket-owner "12" is not an account id of twelve digits');
  expect((await run('--poll-seconds', '0')).err).toContain('Give a whole number of seconds from 1.');
  expect((await run('--emulator', 'http://x')).err).toContain(
    '--emulator goes with --target local, and this is --target bedrock.',
  );
  const local = await runQuarry('run', file, ...ASK, '--dir', world.dir, '--bucket', BUCKET);
  expect(local.err).toContain('--bucket goes with --target bedrock, and this is --target local.');
  expect(world.s3.requests).toEqual([]);
  await expectNothingSpent(world);
});

test('where there are no credentials, the run says so and what to do, and nothing is sent', async () => {
  const world = await openBedrockWorld();
  vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
  const { status, err } = await runQuarry('run', await world.writeRows(3), ...world.flags);
  expect(status).toBe(1);
  expect(err).toMatch(
    /^Error: Could not list .*No usable AWS credentials were found: sign in[\s\S]*\(CredentialsError\)/,
  );
  expect(err).not.toMatch(/^ +at /m);
  const profile = await runQuarry('status', 'x', '--profile', 'none', ...world.flags.slice(0, 4));
  expect(profile.err).toMatch(/^Error: .*--profile[\s\S]*\(CredentialsError\)/);
  await expectNothingSpent(world);
});

test.each<[string, S3Fault, RegExp]>([
  [
    'does not exist',
    { status: 404, code: 'NoSuchBucket' },
    /^Error: There is no bucket "my-bucket"[\s\S]*\(ObjectNotFoundError\)/,
  ],
  [
    'is in another region',
    { status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'eu-west-1' } },
    /^Error: The bucket "my-bucket" is in eu-west-1, and this run is not\. Run there \(--region[\s\S]*\(InvalidRunInputError\)/,
  ],
  [
    'may not be read, or is somebody else’s',
    { status: 403, code: 'AccessDenied', message: 'Access Denied' },
    /^Error: .*Allow the S3 actions on "my-bucket".*check that it belongs to account 111122223333[\s\S]*\(AccessDeniedError\)/,
  ],
  [
    'is asked for with credentials that have expired',
    { status: 400, code: 'ExpiredToken', message: 'The provided token has expired.' },
    /^Error: .*token has expired\. The credentials have expired: sign in again\.[\s\S]*\(CredentialsError\)/,
  ],
])('a bucket that %s is named, and nothing is sent', async (_, fault, says) => {
  const world = await openBedrockWorld();
  world.s3.fault = () => fault;
  const file = await world.writeRows(3);
  for (const command of ['run', 'plan']) {
    const { status, err } = await runQuarry(command, file, ...world.flags);
    expect(status).toBe(1);
    expect(err).toMatch(says);
    expect(err).not.toMatch(/^ +at /m);
  }
  await expectNothingSpent(world);
  // Looking for a run there says the same.
  const status = await runQuarry('status', 'mine', ...world.flags.slice(0, 6), '--dir', world.dir);
  expect(status.err).toMatch(says);
});

test.each<[string, { status: number; name: string; message: string }, RegExp]>([
  [
    'a role that Bedrock may not assume',
    {
      status: 400,
      name: 'ValidationException',
      message: 'The provided role cannot be assumed by the service.',
    },
    /cannot be assumed by the service\. Let bedrock\.amazonaws\.com assume the role: .*docs\/aws\.md/,
  ],
  [
    'a model without access',
    {
      status: 403,
      name: 'AccessDeniedException',
      message: "You don't have access to the model with the specified model ID.",
    },
    /You don't have access to the model.* Let an administrator invoke the model once in this account and region/,
  ],
  [
    'a role that may not be passed',
    {
      status: 403,
      name: 'AccessDeniedException',
      message: 'User: x is not authorized to perform: iam:PassRole on resource: y',
    },
    /Allow iam:PassRole on the service role/,
  ],
])(
  '%s stops the run before anything is paid, and it goes on once that is mended',
  async (_, fault, says) => {
    const world = await openBedrockWorld();
    world.proxy.fault = (request) => (request === 'POST /model-invocation-job' ? fault : undefined);
    const file = await world.writeRows(420);
    const parts = ['--max-records-per-job', '105', '--run-id', 'mine'];
    const { status, err } = await runQuarry('run', file, ...world.flags, ...parts);
    expect(status).toBe(1);
    expect(err).toMatch(/^Error: [\s\S]*\(SystematicFaultError\)/m);
    expect(err).toMatch(says);
    expect(err).toContain(`Once that is fixed: quarry resume mine --dir ${world.dir}`);
    // One of four: the others would be refused as well.
    expect(world.proxy.requests.filter((request) => request === 'POST /model-invocation-job')).toHaveLength(
      1,
    );
    expect((await world.emulator.usage()).totals).toMatchObject({ jobs: 0 });
    world.proxy.fault = () => undefined;
    const resumed = await runQuarry('resume', 'mine', '--dir', world.dir, '--json');
    expect(resumed.status, resumed.err).toBe(0);
    expect(JSON.parse(resumed.out).rows).toMatchObject({ total: 420, succeeded: 420 });
    expect((await world.emulator.usage()).totals).toMatchObject({ jobs: 4, answered: 420 });
  },
  60_000,
);

test('credentials that expire in the middle stop the run cleanly, and it goes on after a new sign-in', async () => {
  const world = await openBedrockWorld();
  const hasExpired = () => world.proxy.requests.some((request) => request.startsWith('GET /model-inv'));
  world.proxy.fault = () =>
    hasExpired()
      ? {
          status: 403,
          name: 'ExpiredTokenException',
          message: 'The security token included in the request is expired',
        }
      : undefined;
  const { status, err } = await runQuarry(
    ...['run', await world.writeRows(150), ...world.flags, '--run-id', 'mine'],
  );
  expect(status).toBe(1);
  expect(err).toMatch(
    /^Error: .*expired\. The credentials have expired: sign in again\.[\s\S]*\(CredentialsError\)/m,
  );
  expect(err).toContain(`Once that is fixed: quarry resume mine --dir ${world.dir}`);
  expect(world.s3.objects.has(`${BUCKET}/runs/mine/stop.json`)).toBe(false);
  world.proxy.fault = () => undefined;
  // The same while S3 is spoken to.
  world.s3.fault = ({ path }) =>
    path.includes('/ledger/') ? { status: 400, code: 'ExpiredToken', message: 'It has expired.' } : undefined;
  const again = await runQuarry('resume', 'mine', '--dir', world.dir);
  expect(again.status).toBe(1);
  expect(again.err).toMatch(/^Error: .*quarry resume mine[\s\S]*\(CredentialsError\)/ms);
  world.s3.fault = () => undefined;
  const resumed = await runQuarry('resume', 'mine', '--dir', world.dir, '--json');
  expect(resumed.status, resumed.err).toBe(0);
  expect(JSON.parse(resumed.out).rows).toMatchObject({ total: 150, succeeded: 150 });
  expect((await world.emulator.usage()).totals).toMatchObject({ jobs: 1, answered: 150 });
}, 60_000);
