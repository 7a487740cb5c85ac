import { expect, onTestFinished, test } from 'vitest';
import { testAlarm } from '../../../scripts/proof/alarm-test.ts';
import { createVirtualClock } from '../../../src/core/clock.ts';
import {
  type DoubleScript,
  startAwsDouble,
  stubAwsEnvironment,
  xmlResult,
} from '../../support/aws-double.ts';

const RESOURCES = xmlResult(
  'ListStackResources',
  '<StackResourceSummaries><member><LogicalResourceId>MonitoringRunsFailed1</LogicalResourceId><PhysicalResourceId>my-alarm</PhysicalResourceId><ResourceType>AWS::CloudWatch::Alarm</ResourceType></member></StackResourceSummaries>',
);
const history = (items: string) =>
  xmlResult('DescribeAlarmHistory', `<AlarmHistoryItems>${items}</AlarmHistoryItems>`);

async function run(script: DoubleScript) {
  const double = await startAwsDouble({ ListStackResources: RESOURCES, ...script });
  onTestFinished(() => double[Symbol.asyncDispose]());
  stubAwsEnvironment(double.url, {});
  const clock = createVirtualClock();
  const outcome = testAlarm({ stackName: 'Proof', region: 'us-east-1', profile: undefined, clock });
  return { outcome, double };
}

test('an alarm is set off, and its history is read until it tells of the action', async () => {
  const { outcome, double } = await run({
    SetAlarmState: xmlResult('SetAlarmState', ''),
    DescribeAlarmHistory: [
      history(''),
      history('<member><HistorySummary>Successfully executed action arn:x</HistorySummary></member>'),
    ],
  });
  expect(await outcome).toBe('Successfully executed action arn:x');
  const actions = double.calls.map(({ action }) => action);
  expect(actions).toEqual([
    ...['ListStackResources', 'SetAlarmState', 'DescribeAlarmHistory', 'DescribeAlarmHistory'],
  ]);
});

test('what CloudWatch refuses, or does not tell, is said', async () => {
  const refused = await run({
    SetAlarmState: {
      status: 403,
      body: '<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not yours.</Message></Error></ErrorResponse>',
    },
  });
  await expect(refused.outcome).rejects.toThrow('CloudWatch refuses SetAlarmState: Not yours.');
  const silent = await run({
    SetAlarmState: xmlResult('SetAlarmState', ''),
    DescribeAlarmHistory: history(''),
  });
  await expect(silent.outcome).rejects.toThrow("CloudWatch tells nothing of the alarm's action within 90 s.");
});
