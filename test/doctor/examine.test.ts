import { expect, test } from 'vitest';
import { jsonError, xmlError } from '../support/aws-double.ts';
import { ACCOUNT, examineDouble, GIVEN, stackOutputs, testFaults } from './doctor-double.ts';

test('where all is well, every check of a stack says so', async () => {
  const { checks, ok } = await examineDouble({});
  expect(checks.map(({ name, status, found }) => `${status} ${name}: ${found}`)).toEqual([
    'ok Node: Node 24.21.0',
    'ok Region: us-east-1',
    `ok Credentials: account ${ACCOUNT}, arn:aws:iam::${ACCOUNT}:user/a`,
    'ok Bedrock: Bedrock has batch inference in us-east-1.',
    'ok Stack: "Quarry" in us-east-1: Quarry 0.1.0, the same version as this.',
    `ok Bucket: "the-bucket" in us-east-1, of account ${ACCOUNT}`,
    'ok Encryption: AES256',
    'ok Public access: blocked',
    'ok Objects: written, read and deleted',
    `ok Service role: QuarryService trusts Bedrock, for jobs of account ${ACCOUNT}.`,
    'ok Role’s rights: It may read and write the bucket and invoke the model.',
    'ok Model: Claude Haiku 4.5 may be used in us-east-1.',
    'ok Quotas: Claude Haiku 4.5: minRecordsPerJob 100, maxRecordsPerJob 100,000, maxConcurrentJobs 100',
    'ok Lambda: 1000 functions at once; the stack uses up to 100.',
    'skipped Hugging Face: HF_TOKEN is not set: public datasets only.',
  ]);
  expect(ok).toBe(true);
});

test('without a stack, the bucket and the role that were named are looked at, and whether we may pass the role', async () => {
  const { of, ok } = await examineDouble({ DescribeStacks: xmlError('AccessDenied', 'No.', 403) }, GIVEN);
  expect(ok).toBe(true);
  expect(of('Stack')).toBeUndefined();
  expect(of('Bucket')?.status).toBe('ok');
  expect(of('Passing the role')?.found).toBe('You may pass the service role to Bedrock.');
});

test('what was not named is not looked at, and is no failure', async () => {
  const { of, ok } = await examineDouble({}, { target: 'bedrock', modelId: undefined });
  expect(ok).toBe(true);
  expect(of('Bucket')).toMatchObject({
    status: 'skipped',
    found: 'Not checked: name the bucket with --bucket.',
  });
  expect(of('Service role')?.found).toBe('Not checked: name the service role with --role-arn.');
  expect(of('Model')?.found).toBe('Not checked: name the model with --model-id.');
  expect(of('Quotas')?.found).toBe('Not checked: name the model with --model-id.');
});

test('on this machine only this machine is looked at', async () => {
  const { checks } = await examineDouble({}, { target: 'local' });
  expect(checks.map(({ name }) => name)).toEqual(['Node', 'Hugging Face']);
});

testFaults([
  [
    'no region',
    'Region',
    {},
    {
      status: 'failed',
      found: 'No AWS region is set.',
      advice: 'Set AWS_REGION, or a region in your profile (aws configure), or give --region.',
    },
    { environment: { AWS_REGION: undefined } },
  ],
  [
    'no credentials',
    'Credentials',
    {},
    {
      status: 'failed',
      found:
        'Could not ask who we are: Could not load credentials from any providers. No usable AWS credentials were found: sign in, and name the profile with AWS_PROFILE or --profile.',
      advice: 'Sign in (aws sso login, aws configure), or name a profile with --profile.',
    },
    { environment: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined } },
  ],
  [
    'expired credentials',
    'Credentials',
    {
      GetCallerIdentity: xmlError(
        'ExpiredToken',
        'The security token included in the request is expired',
        403,
      ),
    },
    {
      status: 'failed',
      found:
        'Could not ask who we are: The security token included in the request is expired. The credentials have expired: sign in again.',
      advice: 'Sign in (aws sso login, aws configure), or name a profile with --profile.',
    },
  ],
  [
    'credentials that expire soon',
    'Credentials',
    {},
    {
      status: 'warning',
      found: expect.stringMatching(/^account 123456789012, .*, until 20\d\d-.*: less than an hour\.$/),
      advice:
        'Sign in again before you start something long. What runs on AWS goes on without you; --target bedrock does not.',
    },
    { environment: { AWS_CREDENTIAL_EXPIRATION: new Date(Date.now() + 600_000).toISOString() } },
  ],
  [
    'a region without batch inference',
    'Bedrock',
    { 'GET /model-invocation-jobs': jsonError('UnknownOperationException', 'No.', 404) },
    {
      status: 'failed',
      found: 'Bedrock has no batch inference in us-east-1.',
      advice: 'Use a region that has it, such as us-east-1, us-west-2 or eu-central-1: AWS_REGION.',
    },
  ],
  [
    'jobs that may not be listed',
    'Bedrock',
    { 'GET /model-invocation-jobs': jsonError('AccessDeniedException', 'No.', 403) },
    {
      status: 'skipped',
      found: 'Could not list the batch inference jobs: No. Allow bedrock:ListModelInvocationJobs.',
      advice: 'Allow that for this check, or ask somebody who may.',
    },
  ],
  [
    'no stack',
    'Stack',
    { DescribeStacks: xmlError('ValidationError', 'Stack with id Quarry does not exist') },
    {
      status: 'failed',
      found: 'There is no stack "Quarry" in us-east-1 of account 123456789012.',
      advice:
        'To deploy it: npm run cdk deploy. Where it is in another region or account, set AWS_REGION or AWS_PROFILE.',
    },
  ],
  [
    'a stack of another version',
    'Stack',
    { DescribeStacks: stackOutputs({ quarryVersion: '0.2.0' }) },
    {
      status: 'failed',
      found: 'The stack "Quarry" is Quarry 0.2.0, this is 0.1.0.',
      advice:
        "These versions do not work together. Update the stack from this version's folder (npm run cdk deploy) or use Quarry 0.2.0.",
    },
  ],
  [
    'a stack of a version that goes with this one',
    'Stack',
    { DescribeStacks: stackOutputs({ quarryVersion: '0.1.1' }) },
    {
      status: 'warning',
      found: 'The stack "Quarry" is Quarry 0.1.1, this is 0.1.0.',
      advice: 'They work together; to use the same version, update the stack: npm run cdk deploy.',
    },
  ],
  [
    'few functions at once',
    'Lambda',
    { GetServiceQuota: { body: { Quota: { Value: 10 } } } },
    {
      status: 'warning',
      found:
        'The account runs 10 functions at once; Prepare and Merge alone may want 10. The others are throttled and tried again.',
      advice:
        'Ask for more in Service Quotas (Lambda, "Concurrent executions"), or deploy with -c prepareConcurrency=5.',
    },
  ],
  [
    'a service that is down',
    'Lambda',
    { GetServiceQuota: jsonError('ServiceException', 'Down.', 500) },
    {
      status: 'failed',
      found: 'Could not read the quotas of Lambda: Down.',
      advice: 'Check the network, and try again.',
    },
  ],
]);

test('without credentials, all that needs them is skipped, and nothing crashes', async () => {
  const denied = xmlError(
    'InvalidClientTokenId',
    'The security token included in the request is invalid.',
    403,
  );
  const { checks } = await examineDouble({ GetCallerIdentity: denied });
  const others = checks.filter(
    ({ name }) => !['Node', 'Region', 'Credentials', 'Hugging Face'].includes(name),
  );
  expect(new Set(others.map(({ status, found }) => `${status} ${found}`))).toEqual(
    new Set(['skipped Not checked: it needs credentials.']),
  );
});

test('without a stack, what it would have named is skipped', async () => {
  const { of } = await examineDouble({
    DescribeStacks: xmlError('ValidationError', 'Stack with id Quarry does not exist'),
  });
  for (const name of ['Bucket', 'Service role', 'Lambda', 'Quotas']) {
    expect(of(name)).toMatchObject({ status: 'skipped', found: 'Not checked: it needs the stack.' });
  }
});
