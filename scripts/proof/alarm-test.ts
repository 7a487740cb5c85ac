import { CloudFormationClient, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import type { Clock } from '../../src/core/clock.ts';

/** Which stack, and as whom. */
export interface AlarmPlace {
  stackName: string;
  region: string;
  profile: string | undefined;
  clock: Clock;
}

/** Milliseconds between two looks at the alarm's history, and until nothing more is waited for. */
const POLL_MS = 3_000;
const WITHIN_MS = 90_000;

/** Sets the stack's alarm of failed runs off; what CloudWatch's history says of its action. Throws where it says nothing in time. */
export async function testAlarm({ stackName, region, profile, clock }: AlarmPlace): Promise<string> {
  const options = { region, ...(profile === undefined ? {} : { profile }) };
  const client = new CloudFormationClient(options);
  // Of its own, as a client that has signed for its own service goes on to sign for that one.
  const signing = new CloudFormationClient(options);
  try {
    const { StackResourceSummaries = [] } = await client.send(
      new ListStackResourcesCommand({ StackName: stackName }),
    );
    const alarm = StackResourceSummaries.find(
      ({ ResourceType, LogicalResourceId = '' }) =>
        ResourceType === 'AWS::CloudWatch::Alarm' && LogicalResourceId.includes('RunsFailed'),
    );
    const AlarmName = alarm?.PhysicalResourceId;
    if (AlarmName === undefined) throw new Error(`The stack "${stackName}" has no alarm of failed runs.`);
    const call = (action: string, parameters: Record<string, string>) =>
      callCloudWatch(signing, { region, action, parameters: { AlarmName, ...parameters } });
    await call('SetAlarmState', { StateValue: 'ALARM', StateReason: 'A test of this alarm by Quarry.' });
    for (const until = clock.now() + WITHIN_MS; clock.now() < until; await clock.sleep(POLL_MS)) {
      const history = await call('DescribeAlarmHistory', { HistoryItemType: 'Action' });
      const [, summary] = /<HistorySummary>([^<]*)<\/HistorySummary>/.exec(history) ?? [];
      if (summary !== undefined) return summary;
    }
    throw new Error(`CloudWatch tells nothing of the alarm's action within ${WITHIN_MS / 1000} s.`);
  } finally {
    client.destroy();
    signing.destroy();
  }
}

interface CloudWatchCall {
  region: string;
  action: string;
  parameters: Record<string, string>;
}

/**
 * Calls CloudWatch by its query protocol, signed by a client that is here for CloudFormation: one call of a script is no reason for
 * another SDK client. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
 */
async function callCloudWatch(
  { config }: CloudFormationClient,
  { region, action, parameters }: CloudWatchCall,
): Promise<string> {
  const { AWS_ENDPOINT_URL_CLOUDWATCH, AWS_ENDPOINT_URL } = process.env;
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const url = new URL(
    AWS_ENDPOINT_URL_CLOUDWATCH ?? AWS_ENDPOINT_URL ?? `https://monitoring.${region}.${suffix}/`,
  );
  const signer = await config.signer({
    name: 'sigv4',
    signingName: 'monitoring',
    signingRegion: region,
    properties: {},
  });
  const { headers, body } = await signer.sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    path: '/',
    query: {},
    headers: { host: url.host, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ Action: action, Version: '2010-08-01', ...parameters }).toString(),
  });
  const response = await fetch(url, { method: 'POST', headers, body });
  const text = await response.text();
  if (response.ok) return text;
  const [, message = text] = /<Message>([^<]*)<\/Message>/.exec(text) ?? [];
  throw new Error(`CloudWatch refuses ${action}: ${message.slice(0, 500)}`);
}
