import { expect, test } from 'vitest';
import { findingsOf, nothingSeen } from '../../../scripts/proof/observations.ts';
import { reportOf, reportText } from '../../../scripts/proof/proof-report.ts';
import { proveDeployment } from '../../../scripts/proof/prove-deployment.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { Quarry } from '../../../src/index.ts';
import { openStack } from '../../../src/quarry/open-stack.ts';
import { ACCOUNT, BUCKET } from '../../support/bedrock-world.ts';
import { openStackWorld } from '../../support/stack-world.ts';

const REGION = 'us-west-2';

/** A proof in an account whose services are doubles, and whose Bedrock is the emulator. */
async function prove(alarm: () => Promise<string>) {
  // The first two jobs are at work for as long as it takes to cancel them.
  const slow = { kind: 'slow-stage', stage: 'InProgress', extraMs: 600_000 } as const;
  const world = await openStackWorld({ faults: [{ times: 2, fault: slow }] });
  const done: string[] = [];
  const seen = await proveDeployment(
    {
      deploy: async () => void done.push('deploy'),
      destroy: async () => void done.push('destroy'),
      quarry: new Quarry({ target: 'aws', directory: world.dir, region: REGION }),
      openTarget: () => openStack({ stack_name: 'Quarry', region: REGION, profile: null }),
      testAlarm: alarm,
    },
    { rows: 200, modelId: 'us.amazon.nova-micro-v1:0', clock: systemClock, tell: () => {} },
  );
  return { seen, done };
}

test('against the emulator nothing differs from what the emulator assumes, and every row is accounted for on the way', async () => {
  const action = `Successfully executed action arn:aws:sns:${REGION}:${ACCOUNT}:topic`;
  const { seen, done } = await prove(async () => action);
  expect(done).toEqual(['deploy', 'destroy']);
  expect(seen.failed).toEqual({});
  expect(findingsOf(seen, 200).filter(({ verdict }) => verdict === 'differs')).toEqual([]);
  expect(seen.cancelled).toMatchObject({ status: 'cancelled', rows: { total: 200 } });
  expect(seen.cancelled?.rows.not_sent).toBeGreaterThan(0);
  expect(seen.resumed).toMatchObject({ status: 'succeeded', rows: { total: 200, succeeded: 200 } });
  const about = { rows: 200, model_id: 'm', region: REGION, quarry_version: '1' };
  const report = reportOf(seen, { ...about, names: { account: ACCOUNT, bucket: BUCKET } });
  for (const name of [ACCOUNT, BUCKET, ':topic', 'Answer with the number'])
    expect(JSON.stringify(report)).not.toContain(name);
  expect(reportText(report)).toContain('Nothing differed from what the emulator assumes.');
  expect(JSON.stringify(reportOf(seen, { ...about, names: null }))).toContain(ACCOUNT);
});

test('a deployment that fails is told, nothing is run, and what there is of it is destroyed', async () => {
  const done: string[] = [];
  const never = () => expect.unreachable();
  const seen = await proveDeployment(
    {
      deploy: async () => {
        throw new Error('Not allowed.');
      },
      destroy: async () => void done.push('destroy'),
      quarry: new Quarry(),
      openTarget: never,
      testAlarm: never,
    },
    { rows: 200, modelId: 'm', clock: systemClock, tell: () => {} },
  );
  expect(seen).toMatchObject({ failed: { deploy: 'Error: Not allowed.' }, resumed: null, alarm: null });
  expect(done).toEqual(['destroy']);
});

test('what AWS does otherwise is told as such', () => {
  const seen = {
    ...nothingSeen(),
    statuses: [
      ['Submitted', 'InProgress', 'Validating'],
      ['Submitted', 'Paused', 'Completed'],
    ],
    outputFiles: ['records.jsonl.gz'],
    lineKeys: ['recordId', 'modelOutput'],
    alarm: 'Failed to execute action',
  };
  const verdicts = Object.fromEntries(
    findingsOf(seen, 200).map(({ assumption, verdict }) => [assumption, verdict]),
  );
  expect(verdicts).toMatchObject({
    'statuses of a job': 'differs',
    'order of the statuses': 'differs',
    'files of a job’s output': 'differs',
    'keys of an output line': 'as assumed',
    'keys of a manifest': 'not seen',
    'an alarm reaches the topic': 'differs',
    'rows of the resumed run': 'not seen',
  });
  const about = { rows: 200, model_id: 'm', region: REGION, quarry_version: '1', names: null };
  expect(reportText(reportOf(seen, about))).toMatch(/^Differed: statuses of a job \(assumed: Submitted, /m);
});
