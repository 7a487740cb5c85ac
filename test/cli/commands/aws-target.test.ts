import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  type DoubleScript,
  startAwsDouble,
  stubAwsEnvironment,
  xmlError,
  xmlResult,
} from '../../support/aws-double.ts';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const RUN = ['--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', 'Say {n}'];

/** An AWS that answers so, with credentials and a region, unless they are taken away. */
async function openAws(script: DoubleScript, variables: Record<string, string | undefined> = {}) {
  const double = await startAwsDouble(script);
  onTestFinished(() => double[Symbol.asyncDispose]());
  stubAwsEnvironment(double.url, variables);
  const dir = await temporaryDirectory();
  const file = join(dir, 'rows.csv');
  await writeFile(file, 'n\n1\n');
  const quarry = async (...args: string[]) => runQuarry(...args, '--dir', join(dir, 'store'));
  return { double, file, quarry };
}

function stack(status: string, version = '0.1.0') {
  const outputs = {
    bucketName: 'the-bucket',
    stateMachineArn: 'arn:aws:states:us-east-1:123456789012:stateMachine:Workflow',
    stepFunctionName: 'Workflow',
    serviceRoleArn: 'arn:aws:iam::123456789012:role/Service',
    quarryVersion: version,
  };
  const members = Object.entries(outputs).map(
    ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  );
  return xmlResult(
    'DescribeStacks',
    `<Stacks><member><StackName>Quarry</StackName><StackId>arn:aws:cloudformation:us-east-1:123456789012:stack/Quarry/1</StackId><StackStatus>${status}</StackStatus><Outputs>${members.join('')}</Outputs></member></Stacks>`,
  );
}

test('without a stack nothing is uploaded or started, and it says where it looked', async () => {
  const { double, file, quarry } = await openAws({
    DescribeStacks: [
      xmlError('ValidationError', 'Stack with id Quarry does not exist'),
      xmlResult('DescribeStacks', '<Stacks></Stacks>'),
    ],
    GetCallerIdentity: xmlResult(
      'GetCallerIdentity',
      '<Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/a</Arn><UserId>A</UserId>',
    ),
  });
  const { status, err } = await quarry('run', file, ...RUN, '--target', 'aws');
  expect(status).toBe(1);
  expect(err).toBe(
    'Error: There is no stack "Quarry" in us-east-1 of account 123456789012. To deploy it: npm run cdk deploy. Where it is in another region or account, set AWS_REGION or AWS_PROFILE.\n(DeploymentError)\n',
  );
  expect(double.calls.filter(({ action }) => /PUT|Start/.test(action))).toEqual([]);
});

test.each([
  [
    'of another version',
    stack('CREATE_COMPLETE', '0.2.0'),
    'The stack "Quarry" is Quarry 0.2.0, this is 0.1.0.',
  ],
  ['that is being updated', stack('UPDATE_IN_PROGRESS'), 'The stack "Quarry" is being updated'],
  ['that could not be created', stack('ROLLBACK_COMPLETE'), 'could not be created or deleted'],
])('on a stack %s nothing is uploaded or started', async (_, DescribeStacks, message) => {
  const { double, file, quarry } = await openAws({ DescribeStacks });
  const { status, err } = await quarry('run', file, ...RUN, '--target', 'aws');
  expect(status).toBe(1);
  expect(err).toContain('(DeploymentError)');
  expect(err).toContain(message);
  expect(double.calls.filter(({ action }) => /PUT|Start/.test(action))).toEqual([]);
});

test('without a region or credentials it says how to get them', async () => {
  const { file, quarry } = await openAws({}, { AWS_REGION: undefined });
  expect((await quarry('run', file, ...RUN, '--target', 'aws')).err).toContain('No AWS region is set.');
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
  const { status, err } = await quarry('run', file, ...RUN, '--target', 'aws');
  expect(status).toBe(1);
  expect(err).toMatch(
    /^Error: Could not look for the stack "Quarry": Could not load credentials from any providers\. No usable AWS credentials were found[\s\S]*\(CredentialsError\)/,
  );
});

test('options of other targets are refused, and those of a stack elsewhere', async () => {
  const { file, quarry } = await openAws({});
  const errorOf = async (...args: string[]) => (await quarry(...args)).err;
  expect(await errorOf('run', file, ...RUN, '--target', 'aws', '--bucket', 'mine')).toContain(
    '--bucket goes with --target bedrock, and this is --target aws.',
  );
  expect(await errorOf('run', file, ...RUN, '--stack', 'Mine')).toContain(
    '--stack goes with --target aws, and this is --target local. Add --target aws, or leave it out.',
  );
  expect(await errorOf('run', file, ...RUN, '--region', 'us-east-1')).toContain(
    '--region goes with --target bedrock or aws, and this is --target local.',
  );
  expect(await errorOf('status', 'mine', '--follow')).toContain('There is no run "mine"');
  expect(await errorOf('cancel', 'mine', '--now')).toContain('--now needs --target aws');
});
