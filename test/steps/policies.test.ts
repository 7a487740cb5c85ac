import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StepName } from '../../src/workflow/definition.ts';
import { openEmulatedTarget, runRows } from '../support/emulated-run.ts';
import { readStepPolicies } from '../support/step-policies.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const ROOT = import.meta.dirname;
/** What makes a store, and what puts it under the policy of a step. */
const [MAKES, GUARDS] = [
  /createDirectoryStore\(|localPlanDeps\(|openLocalTarget\(|onDisk: true/,
  /storeOf\(|underPolicies\(|asOnAws\(/,
];

test('the suites of the steps call no store but under the policy of a step', () => {
  const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.test.ts'),
  );
  const making = files.filter(
    (name) => MAKES.test(readFileSync(join(ROOT, name), 'utf8')) && name !== 'policies.test.ts',
  );
  expect(making.length).toBeGreaterThan(5);
  // Which runs steps as nobody's function.
  expect(files.filter((name) => /\brunLocally\(/.test(readFileSync(join(ROOT, name), 'utf8')))).toEqual([]);
  expect(making.filter((name) => !GUARDS.test(readFileSync(join(ROOT, name), 'utf8')))).toEqual([]);
});

test.each<[StepName, string, RegExp]>([
  [
    'prepare',
    's3:GetObject',
    /prepare may not s3:GetObject on arn:aws:s3:::quarry-local\/runs\/emulated\/plan\.json/,
  ],
  [
    'submit',
    'bedrock:CreateModelInvocationJob',
    /submit may not bedrock:CreateModelInvocationJob on arn:aws:bedrock:/,
  ],
  ['submit', 'iam:PassRole', /submit may not iam:PassRole on arn:aws:iam:/],
  [
    'collect',
    's3:ListBucket',
    /403 for s3:\/\/quarry-local\/|collect may not s3:ListBucket on arn:aws:s3:::quarry-local/,
  ],
  ['merge', 's3:PutObject', /merge may not s3:PutObject on arn:aws:s3:::quarry-local\/runs\/emulated\//],
])('a run of these suites fails where %s may not %s', async (step, action, says) => {
  const directory = await temporaryDirectory();
  const policies = readStepPolicies();
  const rights = policies[step].filter((right) => right.action !== action);
  expect(rights.length).toBeLessThan(policies[step].length);
  await using emulated = await openEmulatedTarget({
    directory,
    policies: { ...policies, [step]: rights },
    // So that something is left to be merged.
    emulator: {
      faults: [{ fault: { kind: 'record-errors', fraction: 0.1, errorCode: 503, firstAttemptOnly: true } }],
    },
  });
  const result = await runRows(150, emulated, { directory });
  expect(result).toMatchObject({ kind: 'failed', message: expect.stringMatching(says) });
});
