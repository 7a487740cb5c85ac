import { createHash } from 'node:crypto';
import { BedrockClient } from '@aws-sdk/client-bedrock';
import { SFNClient } from '@aws-sdk/client-sfn';
import { onTestFinished } from 'vitest';
import { createJobControl } from '../../src/bedrock/job-control.ts';
import { createVirtualClock } from '../../src/core/clock.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import type { DeployedTarget } from '../../src/targets/aws/deployed-target.ts';
import { type AwsDouble, type DoubleScript, doubleClientOptions, startAwsDouble } from './aws-double.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export const BUCKET = 'the-bucket';
export const MACHINE_ARN = 'arn:aws:states:us-east-1:123456789012:stateMachine:Workflow';
export const EXECUTION_ARN = 'arn:aws:states:us-east-1:123456789012:execution:Workflow:jokes';

/** What an execution of the double is, unless a test says otherwise. */
export function execution(more: Record<string, unknown> = {}) {
  return {
    body: {
      executionArn: EXECUTION_ARN,
      stateMachineArn: MACHINE_ARN,
      name: 'jokes',
      status: 'RUNNING',
      startDate: 1_790_000_000,
      input: '{"run_id":"jokes"}',
      ...more,
    },
  };
}

/** A deployment whose AWS is scripted, whose bucket is a folder, and whose time is virtual. */
export async function openDeployedDouble(
  script: DoubleScript,
  problems: DeployedTarget['deployment']['problems'] = [],
): Promise<{ target: DeployedTarget; double: AwsDouble }> {
  const directory = await temporaryDirectory();
  const double = await startAwsDouble(script);
  const sfn = new SFNClient(doubleClientOptions(double.url));
  const bedrock = new BedrockClient(doubleClientOptions(double.url));
  const dispose = async () => {
    sfn.destroy();
    bedrock.destroy();
    await double[Symbol.asyncDispose]();
  };
  onTestFinished(dispose);
  return {
    double,
    target: {
      deployment: {
        stackName: 'Quarry',
        region: 'us-east-1',
        account: '123456789012',
        bucket: BUCKET,
        stateMachineArn: MACHINE_ARN,
        stateMachineName: 'Workflow',
        serviceRoleArn: 'arn:aws:iam::123456789012:role/Service',
        quarryVersion: '0.1.0',
        limits: {},
        problems,
      },
      sfn,
      jobs: createJobControl(bedrock),
      account: {
        batchQuotas: async () => ({}),
        modelBehind: async (profile) => (profile.endsWith('/abc123') ? 'amazon.nova-lite-v1:0' : undefined),
      },
      store: createDirectoryStore(directory),
      clock: createVirtualClock(),
      random: () => 0.5,
      hash: (text) => createHash('sha256').update(text).digest('hex'),
      [Symbol.asyncDispose]: dispose,
    },
  };
}
