import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { STSClient } from '@aws-sdk/client-sts';
import { expect, onTestFinished, test } from 'vitest';
import { findDeployment, requireReady } from '../../../src/targets/aws/deployment.ts';
import {
  type DoubleScript,
  doubleClientOptions,
  startAwsDouble,
  xmlError,
  xmlResult,
} from '../../support/aws-double.ts';

const OUTPUTS = {
  bucketName: 'the-bucket',
  stateMachineArn: 'arn:aws:states:us-east-1:123456789012:stateMachine:Workflow',
  stepFunctionName: 'Workflow',
  serviceRoleArn: 'arn:aws:iam::123456789012:role/Service',
  quarryVersion: '1.4.0',
  maxConcurrentJobs: '20',
};

interface GivenStack {
  status?: string;
  reason?: string;
  outputs?: Record<string, string>;
  name?: string;
}

function stack({
  status = 'CREATE_COMPLETE',
  reason,
  outputs = OUTPUTS,
  name = 'Quarry',
}: GivenStack): string {
  const members = Object.entries(outputs).map(
    ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  );
  return `<member><StackName>${name}</StackName><StackId>arn:aws:cloudformation:us-east-1:123456789012:stack/${name}/1</StackId><StackStatus>${status}</StackStatus>${
    reason === undefined ? '' : `<StackStatusReason>${reason}</StackStatusReason>`
  }<Outputs>${members.join('')}</Outputs></member>`;
}

function stacks(...given: GivenStack[]) {
  return xmlResult('DescribeStacks', `<Stacks>${given.map(stack).join('')}</Stacks>`);
}

async function find(script: DoubleScript, version = '1.4.0') {
  const double = await startAwsDouble(script);
  const cloudFormation = new CloudFormationClient(doubleClientOptions(double.url));
  const sts = new STSClient(doubleClientOptions(double.url));
  onTestFinished(async () => {
    cloudFormation.destroy();
    sts.destroy();
    await double[Symbol.asyncDispose]();
  });
  return findDeployment({ stackName: 'Quarry', version, region: 'us-east-1', cloudFormation, sts });
}

const MISSING = xmlError('ValidationError', 'Stack with id Quarry does not exist');
const IDENTITY = xmlResult(
  'GetCallerIdentity',
  '<Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/a</Arn><UserId>A</UserId>',
);

test('a stack tells where everything is', async () => {
  const deployment = await find({ DescribeStacks: stacks({}) });
  expect(deployment).toEqual({
    stackName: 'Quarry',
    region: 'us-east-1',
    account: '123456789012',
    bucket: 'the-bucket',
    stateMachineArn: OUTPUTS.stateMachineArn,
    stateMachineName: 'Workflow',
    serviceRoleArn: OUTPUTS.serviceRoleArn,
    quarryVersion: '1.4.0',
    limits: { maxConcurrentJobs: 20 },
    problems: [],
  });
  expect(() => requireReady(deployment)).not.toThrow();
});

test('a stack that is not there is missed where we looked, with how to deploy it', async () => {
  await expect(find({ DescribeStacks: [MISSING, stacks()], GetCallerIdentity: IDENTITY })).rejects.toThrow(
    'There is no stack "Quarry" in us-east-1 of account 123456789012. To deploy it: npm run cdk deploy. Where it is in another region or account, set AWS_REGION or AWS_PROFILE.',
  );
});

test('stacks that look like Quarry’s are named beside the one that is not there', async () => {
  const others = stacks({ name: 'Quarry-eu' }, { name: 'Web', outputs: {} });
  await expect(find({ DescribeStacks: [MISSING, others], GetCallerIdentity: IDENTITY })).rejects.toThrow(
    'There is "Quarry-eu", which looks like Quarry\'s: give the name with --stack.',
  );
  const two = stacks({ name: 'A' }, { name: 'B' });
  await expect(find({ DescribeStacks: [MISSING, two], GetCallerIdentity: IDENTITY })).rejects.toThrow(
    'There are "A", "B", which look like Quarry\'s',
  );
});

test('without the rights to look around, the stack is missed all the same', async () => {
  const denied = xmlError('AccessDenied', 'No.', 403);
  await expect(find({ DescribeStacks: [MISSING, denied], GetCallerIdentity: denied })).rejects.toThrow(
    'There is no stack "Quarry" in us-east-1. To deploy it',
  );
});

test('a stack that may not be looked at names the right', async () => {
  const denied = xmlError(
    'AccessDenied',
    'User: a is not authorized to perform: cloudformation:DescribeStacks',
    403,
  );
  await expect(find({ DescribeStacks: denied })).rejects.toThrow(
    'Could not look for the stack "Quarry": User: a is not authorized to perform: cloudformation:DescribeStacks. Allow cloudformation:DescribeStacks.',
  );
});

test.each([
  ['CREATE_IN_PROGRESS', 'is being created: wait until it is, and try again'],
  ['REVIEW_IN_PROGRESS', 'was never deployed, only prepared. Deploy it: npm run cdk deploy'],
  ['DELETE_IN_PROGRESS', 'is being deleted.'],
  ['ROLLBACK_COMPLETE', 'could not be created or deleted.'],
])('a stack in state %s is refused', async (status, advice) => {
  const error = await find({ DescribeStacks: stacks({ status, reason: 'So.' }) }).catch((it: Error) => it);
  expect(String(error)).toContain(`DeploymentError: The stack "Quarry" ${advice}`);
  expect(String(error)).toContain(`It is in state ${status} (So.).`);
});

test.each([
  ['UPDATE_IN_PROGRESS', true, 'is being updated (UPDATE_IN_PROGRESS): wait until it is'],
  ['UPDATE_ROLLBACK_FAILED', true, 'The last update of the stack "Quarry" failed (UPDATE_ROLLBACK_FAILED)'],
  ['UPDATE_ROLLBACK_COMPLETE', false, 'was rolled back (UPDATE_ROLLBACK_COMPLETE): it is as it was before.'],
])('a stack in state %s can be looked at; blocks a start: %s', async (status, blocksStart, message) => {
  const deployment = await find({ DescribeStacks: stacks({ status }) });
  expect(deployment.problems).toEqual([{ blocksStart, message: expect.stringContaining(message) }]);
  if (blocksStart) expect(() => requireReady(deployment)).toThrow(message);
  else expect(() => requireReady(deployment)).not.toThrow();
});

test.each([
  ['1.4.0', '1.9.2', false],
  ['1.4.0', '2.0.0', true],
  ['0.1.0', '0.1.7', false],
  ['0.1.0', '0.2.0', true],
  ['unknown', '0.2.0', true],
])(
  'a stack of Quarry %s and a command line of %s; blocks a start: %s',
  async (deployed, own, blocksStart) => {
    const outputs = { ...OUTPUTS, quarryVersion: deployed };
    const { problems } = await find({ DescribeStacks: stacks({ outputs }) }, own);
    expect(problems).toEqual([
      {
        blocksStart,
        message: expect.stringContaining(`The stack "Quarry" is Quarry ${deployed}, this is ${own}.`),
      },
    ]);
    expect(problems[0]?.message).toContain('npm run cdk deploy');
  },
);

test('a stack without our outputs is not ours', async () => {
  const outputs = { bucketName: 'b' };
  await expect(find({ DescribeStacks: stacks({ outputs }) })).rejects.toThrow(
    'The stack "Quarry" has no output stateMachineArn, stepFunctionName, serviceRoleArn: it is not Quarry\'s',
  );
});
