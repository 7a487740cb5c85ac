import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  type DoubleScript,
  startAwsDouble,
  stubAwsEnvironment,
  xmlResult,
} from '../../support/aws-double.ts';
import { runQuarry } from '../../support/run-quarry.ts';
import { openTerminal } from '../../support/terminal.ts';

const IDENTITY = xmlResult(
  'GetCallerIdentity',
  '<Account>123456789012</Account><Arn>a</Arn><UserId>u</UserId>',
);
const MACHINE = 'arn:aws:states:us-east-1:123456789012:stateMachine:Workflow';

function stackOf(description: string, status = 'CREATE_COMPLETE') {
  return xmlResult(
    'DescribeStacks',
    `<Stacks><member><StackName>Quarry</StackName><StackId>arn:stack</StackId><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>${status}</StackStatus><Description>${description}</Description><Outputs><member><OutputKey>afterDestroy</OutputKey><OutputValue>The bucket stays.</OutputValue></member><member><OutputKey>stateMachineArn</OutputKey><OutputValue>${MACHINE}</OutputValue></member></Outputs></member></Stacks>`,
  );
}

async function quarry(script: DoubleScript, ...args: string[]) {
  const double = await startAwsDouble({ GetCallerIdentity: IDENTITY, ...script });
  onTestFinished(() => double[Symbol.asyncDispose]());
  stubAwsEnvironment(double.url, {});
  return { ...(await runQuarry(...args)), actions: double.calls.map(({ action }) => action) };
}

test.each([
  [['deploy', '9lives'], '"9lives" is no name of a stack: letters, digits and hyphens, a letter first'],
  [['destroy', 'a_b'], '"a_b" is no name of a stack'],
  [
    ['deploy', '-c', 'pollSeconds'],
    "argument 'pollSeconds' is invalid. Give key=value, such as pollSeconds=60.",
  ],
])('quarry %s is refused: %s', async (args, message) => {
  const { status, err, actions } = await quarry({}, ...args);
  expect(status).toBe(1);
  expect(err).toContain(message);
  expect(actions).toEqual([]);
});

test('a context that cannot be is refused with all its faults, and nothing is asked', async () => {
  const missing = {
    status: 400,
    body: '<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack with id Quarry does not exist</Message></Error></ErrorResponse>',
  };
  const folder = await mkdtemp(join(tmpdir(), 'quarry-config-'));
  await writeFile(join(folder, 'quarry.config.json'), JSON.stringify({ context: { maxConcurrentJobs: 0 } }));
  vi.spyOn(process, 'cwd').mockReturnValue(folder);
  const { status, out, err } = await quarry(
    { DescribeStacks: missing },
    'deploy',
    '--yes',
    '--json',
    '-c',
    'pollSeconds=5',
    '-c',
    'poll-second=60',
  );
  vi.restoreAllMocks();
  expect(status).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ status: 'failed', error: 'DeploymentError' });
  expect(err).toContain('  - maxConcurrentJobs = 0: must be a whole number from 1 to 1000');
  expect(err).toContain('  - pollSeconds = "5": must be a whole number from 60 to 3600');
  expect(err).toContain('  - poll-second: is unknown. Did you mean pollSeconds?');
});

test('a stack of somebody else is not deleted', async () => {
  const { status, err, actions } = await quarry({ DescribeStacks: stackOf('Theirs') }, 'destroy', '--yes');
  expect(status).toBe(1);
  expect(err).toContain('The stack "Quarry" is not Quarry\'s, and is left as it is.');
  expect(actions).not.toContain('DeleteStack');
});

test('a stack with runs at work is not deleted unless it is forced', async () => {
  const script: DoubleScript = {
    DescribeStacks: stackOf('Quarry: batch inference'),
    ListExecutions: {
      body: {
        executions: [
          { name: 'jokes', executionArn: 'a', stateMachineArn: MACHINE, status: 'RUNNING', startDate: 0 },
        ],
      },
    },
  };
  const refused = await quarry(script, 'destroy', '--yes', '--json');
  expect(refused.status).toBe(1);
  expect(refused.err).toContain('1 execution at work: jokes. Their jobs go on at Bedrock, and are paid for.');
  expect(JSON.parse(refused.out)).toMatchObject({ status: 'refused', error: 'RunsAtWork' });
  expect(refused.actions).not.toContain('DeleteStack');
  const states = [stackOf('Quarry: batch inference'), stackOf('Quarry: batch inference', 'DELETE_COMPLETE')];
  const forced = await quarry(
    {
      ...script,
      DescribeStacks: states,
      DeleteStack: xmlResult('DeleteStack', ''),
      DescribeStackEvents: xmlResult('DescribeStackEvents', '<StackEvents/>'),
    },
    'destroy',
    '--yes',
    '--force',
    '--json',
  );
  expect(forced.status, forced.err).toBe(0);
  expect(JSON.parse(forced.out)).toMatchObject({
    stack: 'Quarry',
    kept: 'The bucket stays.',
    status: 'deleted',
  });
});

test('what could not be deleted is told with its reason', async () => {
  const states = [stackOf('Quarry: batch inference'), stackOf('Quarry: batch inference', 'DELETE_FAILED')];
  const event =
    '<StackEvents><member><EventId>1</EventId><StackName>Quarry</StackName><StackId>arn:stack</StackId><LogicalResourceId>Role</LogicalResourceId><ResourceType>AWS::IAM::Role</ResourceType><ResourceStatus>DELETE_FAILED</ResourceStatus><ResourceStatusReason>It is in use.</ResourceStatusReason><Timestamp>2026-01-01T00:00:00Z</Timestamp></member></StackEvents>';
  const { status, err } = await quarry(
    {
      DescribeStacks: states,
      ListExecutions: { body: { executions: [] } },
      DeleteStack: xmlResult('DeleteStack', ''),
      DescribeStackEvents: [
        xmlResult('DescribeStackEvents', '<StackEvents/>'),
        xmlResult('DescribeStackEvents', event),
      ],
    },
    'destroy',
    '--yes',
  );
  expect(status).toBe(1);
  expect(err).toContain(
    'could not be deleted whole:\n  Role (AWS::IAM::Role) DELETE_FAILED: It is in use.\nTo try again: quarry destroy Quarry',
  );
});

describe('on a terminal', () => {
  /** A stack that is being deleted for good, or until the test has seen enough. */
  async function destroying({ after, keys }: { after: string; keys: string }) {
    const event =
      '<StackEvents><member><EventId>1</EventId><StackName>Quarry</StackName><StackId>arn:stack</StackId><LogicalResourceId>Role</LogicalResourceId><ResourceType>AWS::IAM::Role</ResourceType><ResourceStatus>DELETE_IN_PROGRESS</ResourceStatus><Timestamp>2026-01-01T00:00:00Z</Timestamp></member></StackEvents>';
    const double = await startAwsDouble({
      GetCallerIdentity: IDENTITY,
      DescribeStacks: [
        stackOf('Quarry: batch inference'),
        stackOf('Quarry: batch inference', 'DELETE_IN_PROGRESS'),
      ],
      ListExecutions: { body: { executions: [] } },
      DeleteStack: xmlResult('DeleteStack', ''),
      DescribeStackEvents: [
        xmlResult('DescribeStackEvents', '<StackEvents/>'),
        xmlResult('DescribeStackEvents', event),
      ],
    });
    onTestFinished(() => double[Symbol.asyncDispose]());
    stubAwsEnvironment(double.url, {});
    const yes = after.includes('y/N') ? [] : ['--yes'];
    const terminal = openTerminal(['destroy', ...yes], { columns: 200 });
    await terminal.shows(after);
    terminal.press(keys);
    const status = await terminal.ended;
    return { status, shown: terminal.sent(), actions: double.calls.map(({ action }) => action) };
  }

  test.each(['n', '', 'yep'])('destroy asks, and takes %j for no', async (answer) => {
    const { status, shown, actions } = await destroying({ after: 'Delete it? (y/N) ', keys: `${answer}\r` });
    expect(status).toBe(1);
    expect(shown).toContain('Nothing was changed.');
    expect(actions).not.toContain('DeleteStack');
  });

  test('Ctrl-C leaves what CloudFormation has begun to CloudFormation, and says how to go on', async () => {
    const { status, shown, actions } = await destroying({
      after: 'DELETE_IN_PROGRESS  AWS::IAM::Role  Role',
      keys: 'ctrl-c',
    });
    expect(status).toBe(130);
    expect(shown).toContain(
      'CloudFormation goes on with what it has begun. The same command goes on from there, once it is done.',
    );
    expect(actions).toContain('DeleteStack');
  });
});
