import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createS3Client } from '../../src/store/s3-client.ts';
import { runQuarry } from '../support/run-quarry.ts';
import { openTerminal } from '../support/terminal.ts';
import { putBootstrapVersion } from './bootstrap.ts';
import { CREDENTIALS, MOTO_ACCOUNT, type Moto, REGION, startMoto } from './moto.ts';

const PLACE = `in ${REGION} of account ${MOTO_ACCOUNT}`;

let moto: Moto;
let cloudFormation: CloudFormationClient;
let s3: S3Client;
let home: string;

beforeAll(async () => {
  moto = await startMoto();
  const options = { endpoint: moto.url, region: REGION, credentials: CREDENTIALS };
  cloudFormation = new CloudFormationClient(options);
  s3 = createS3Client(options);
  vi.stubEnv('AWS_ENDPOINT_URL', moto.url);
  // The CDK remembers there whose a key is, for good.
  home = await mkdtemp(join(tmpdir(), 'quarry-cdk-'));
  vi.stubEnv('CDK_HOME', home);
  vi.stubEnv('AWS_REGION', REGION);
  vi.stubEnv('AWS_ACCESS_KEY_ID', CREDENTIALS.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', CREDENTIALS.secretAccessKey);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true, force: true });
  await moto?.[Symbol.asyncDispose]();
});

async function statusOf(name: string): Promise<string | undefined> {
  const { Stacks } = await cloudFormation.send(new DescribeStacksCommand()).catch(() => ({ Stacks: [] }));
  return Stacks?.find(({ StackName }) => StackName === name)?.StackStatus;
}

const QUESTION = 'Deploy it? (y/N) ';

/** `quarry deploy` with somebody who presses keys once something is shown. */
async function atTerminal(...steps: { shows: string; press: string }[]) {
  const terminal = openTerminal(['deploy', '--context', 'maxConcurrentJobs=3'], { columns: 200, rows: 60 });
  for (const { shows, press } of steps) {
    await terminal.shows(shows);
    terminal.press(press);
  }
  const status = await terminal.ended;
  return { status, sent: terminal.sent().replaceAll('\r\n', '\n') };
}

test('the stack is deployed from the package’s own parts, changed, and destroyed; its bucket stays', {
  timeout: 600_000,
}, async () => {
  await putBootstrapVersion(moto.url);
  await s3.send(new CreateBucketCommand({ Bucket: `cdk-hnb659fds-assets-${MOTO_ACCOUNT}-${REGION}` }));

  const refused = await atTerminal({ shows: QUESTION, press: 'n\r' });
  expect(refused.status).toBe(1);
  expect(refused.sent).toContain(`The stack "Quarry" is created in ${REGION} of account ${MOTO_ACCOUNT}.`);
  expect(refused.sent).toMatch(/^ {2}added {4}AWS::StepFunctions::StateMachine /m);
  expect(refused.sent).toContain('bedrock:ListModelInvocationJobs on *');
  expect(refused.sent).toContain('Nothing was changed.');
  expect(await statusOf('Quarry')).toBeUndefined();

  const stopped = await atTerminal(
    { shows: QUESTION, press: 'y\r' },
    { shows: 'Synthesis time', press: 'ctrl-c' },
  );
  expect(stopped.status).toBe(130);
  expect(stopped.sent).toContain('Stopping…');
  expect(stopped.sent).toContain(
    'CloudFormation goes on with what it has begun. The same command goes on from there, once it is done.',
  );

  const deployed = await runQuarry('deploy', '--yes', '--json', '--context', 'maxConcurrentJobs=3');
  expect(deployed.status, deployed.err.slice(-2000)).toBe(0);
  const { outputs, status } = JSON.parse(deployed.out);
  expect(outputs).toMatchObject({
    maxConcurrentJobs: '3',
    stateMachineArn: expect.stringContaining('Workflow'),
  });
  expect(status).toBe('CREATE_COMPLETE');

  const again = await runQuarry(
    'deploy',
    '--plan',
    '--json',
    '-c',
    'maxConcurrentJobs=3',
    '-c',
    'inputBuckets=theirs',
  );
  const { changes } = JSON.parse(again.out);
  expect(changes.lostRights).toEqual([]);
  expect(changes.newRights).toContainEqual(
    expect.objectContaining({ effect: 'Allow', action: 's3:GetObject', resource: 'arn:aws:s3:::theirs/*' }),
  );
  expect(changes.resources.every(({ change }: { change: string }) => change !== 'removed')).toBe(true);

  const kept = await runQuarry('destroy');
  expect(kept.err).toContain('Give --yes');
  const destroyed = await runQuarry('destroy', '--yes');
  expect(destroyed.status, destroyed.err).toBe(0);
  expect(destroyed.out).toBe(
    `The stack "Quarry" is deleted. The bucket with your results is kept. Delete it with: aws s3 rb s3://${outputs.bucketName} --force\n`,
  );
  expect(await statusOf('Quarry')).not.toBe('CREATE_COMPLETE');
  // moto deletes it whatever the template says; AWS and the plan go by DeletionPolicy, which test/infra holds.
  expect((await runQuarry('destroy', '--yes')).err).toContain(
    `There is no stack "Quarry" ${PLACE}: there is nothing to destroy.`,
  );
});

test('somebody else’s stack is neither changed nor deleted', async () => {
  const TemplateBody = JSON.stringify({
    Description: 'Theirs.',
    Resources: { Topic: { Type: 'AWS::SNS::Topic' } },
  });
  await cloudFormation.send(new CreateStackCommand({ StackName: 'Theirs', TemplateBody }));
  for (const command of ['deploy', 'destroy']) {
    const { status, err } = await runQuarry(command, 'Theirs', '--yes');
    expect(status).toBe(1);
    expect(err).toContain('The stack "Theirs" is not Quarry\'s, and is left as it is.');
  }
  expect(await statusOf('Theirs')).toBe('CREATE_COMPLETE');
});
