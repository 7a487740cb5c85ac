import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateBucketCommand, PutPublicAccessBlockCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { examine } from '../../src/doctor/examine.ts';
import { createS3Client } from '../../src/store/s3-client.ts';
import { CREDENTIALS, MOTO_ACCOUNT, REGION } from './moto.ts';
import { openWorld, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
  vi.stubEnv('AWS_ENDPOINT_URL', world.url);
  vi.stubEnv('AWS_REGION', REGION);
  vi.stubEnv('AWS_ACCESS_KEY_ID', CREDENTIALS.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', CREDENTIALS.secretAccessKey);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await world?.[Symbol.asyncDispose]();
});

async function lookAt(options: Partial<Parameters<typeof examine>[0]>): Promise<Record<string, string>> {
  const { checks } = await examine(
    {
      target: 'aws',
      stackName: 'Quarry',
      version: '0.1.0',
      clock: systemClock,
      fetch,
      environment: {},
      ...options,
    },
    process.versions.node,
  );
  return Object.fromEntries(checks.map(({ name, status, found }) => [name, `${status}: ${found}`]));
}

test('the synthesized stack is found sound by what moto answers', async () => {
  // moto's CloudFormation leaves this one property of the bucket out.
  const s3 = createS3Client({ endpoint: world.url, region: REGION, credentials: CREDENTIALS });
  const { Properties } = Object.values(world.resources).find(({ Type }) => Type === 'AWS::S3::Bucket') ?? {};
  await s3.send(
    new PutPublicAccessBlockCommand({
      Bucket: world.bucket,
      PublicAccessBlockConfiguration: Properties?.PublicAccessBlockConfiguration,
    }),
  );
  s3.destroy();
  const checks = await lookAt({});
  expect(checks).toMatchObject({
    Region: `ok: ${REGION}`,
    Credentials: expect.stringContaining(`ok: account ${MOTO_ACCOUNT}, arn:aws:`),
    Bedrock: `ok: Bedrock has batch inference in ${REGION}.`,
    Stack: `ok: "Quarry" in ${REGION}: Quarry 0.1.0, the same version as this.`,
    Bucket: `ok: "${world.bucket}" in ${REGION}, of account ${MOTO_ACCOUNT}`,
    Encryption: 'ok: AES256',
    'Public access': 'ok: blocked',
    Objects: 'ok: written, read and deleted',
    'Service role': expect.stringMatching(/^ok: .* trusts Bedrock, for jobs of account 123456789012\.$/),
  });
  // Nothing of the probe stays.
  const left = await Array.fromAsync(world.store.list(`s3://${world.bucket}/datasets/quarry-doctor`));
  expect(left).toEqual([]);
});

test('a stack that is not there, and the one that is', async () => {
  const { Stack } = await lookAt({ stackName: 'Other' });
  expect(Stack).toBe(`failed: There is no stack "Other" in ${REGION} of account ${MOTO_ACCOUNT}.`);
  const elsewhere = await lookAt({ region: 'eu-west-1' });
  expect(elsewhere.Stack).toContain('There is no stack "Quarry" in eu-west-1');
});

test('a bare bucket and a role that trusts somebody else are named as they are', async () => {
  const options = { endpoint: world.url, region: REGION, credentials: CREDENTIALS };
  const iam = new IAMClient(options);
  const s3 = createS3Client(options);
  try {
    await s3.send(new CreateBucketCommand({ Bucket: 'bare-bucket' }));
    const { Role } = await iam.send(
      new CreateRoleCommand({
        RoleName: 'other',
        AssumeRolePolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
          ],
        }),
      }),
    );
    const checks = await lookAt({ target: 'bedrock', bucket: 'bare-bucket', roleArn: Role?.Arn });
    expect(checks).toMatchObject({
      Bucket: `ok: "bare-bucket" in ${REGION}, of account ${MOTO_ACCOUNT}`,
      'Public access': expect.stringMatching(/^warning: Public access to "bare-bucket" is not blocked/),
      Objects: 'ok: written, read and deleted',
      'Service role':
        'failed: The role other does not trust bedrock.amazonaws.com: no job could read its input.',
    });
    const missing = await lookAt({
      target: 'bedrock',
      bucket: 'no-such-bucket',
      roleArn: `arn:aws:iam::${MOTO_ACCOUNT}:role/nobody`,
    });
    expect(missing).toMatchObject({
      Bucket: 'failed: There is no bucket "no-such-bucket".',
      'Service role': 'failed: There is no role nobody.',
    });
  } finally {
    iam.destroy();
    s3.destroy();
  }
});
