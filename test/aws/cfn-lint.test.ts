import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { SETTING_KEYS } from '../../infra/settings.ts';
import { MODEL_CATALOG } from '../../src/models/catalog/model-catalog.ts';
import { EVERYTHING, synthesize } from '../infra/synth.ts';
import { readTemplate } from './synthesized.ts';

const PYTHON = '.venv/cfn-lint/bin/python';
const REGION = 'us-east-1';

interface LintCase {
  name: string;
  template: object;
  regions: readonly string[];
}

interface Finding {
  name: string;
  rule: string;
  message: string;
  path: string;
}

/** What cfn-lint finds. It looks at a state machine's text before CloudFormation puts anything into it, so the partition is put in first. */
function lint(cases: readonly LintCase[]): Finding[] {
  const input = JSON.stringify(
    cases.map((entry) => ({
      ...entry,
      template: JSON.parse(
        JSON.stringify(entry.template).replaceAll('arn:${partition}:states:', 'arn:aws:states:'),
      ),
    })),
  );
  const { status, stdout, stderr } = spawnSync(PYTHON, ['test/aws/cfn_lint.py'], {
    input,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 ** 2,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** Every region in which a model has batch inference: the stack may be there. */
const REGIONS = [
  ...new Set(
    MODEL_CATALOG.flatMap(({ batch }) =>
      batch.kind === 'yes' ? [...batch.plainIn, ...batch.profileIn] : [],
    ),
  ),
].sort();

/** A value of each context key that is not its default, with what it needs beside it. */
const VALUES: Record<string, Record<string, unknown>> = {
  maxConcurrentJobs: { maxConcurrentJobs: 7 },
  prepareConcurrency: { prepareConcurrency: 5 },
  pollSeconds: { pollSeconds: 60 },
  rowsPerSlice: { rowsPerSlice: 2000 },
  minRecordsPerJob: { minRecordsPerJob: 1 },
  maxRecordsPerJob: { maxRecordsPerJob: 1000 },
  workingFilesDays: { workingFilesDays: 8 },
  logRetentionDays: { logRetentionDays: 1 },
  allowedModels: { allowedModels: 'amazon.nova-*,us.anthropic.claude-haiku-4-5-20251001-v1:0' },
  watchedModels: { watchedModels: EVERYTHING.watchedModels },
  inputBuckets: { inputBuckets: EVERYTHING.inputBuckets },
  kmsKeyArn: { kmsKeyArn: EVERYTHING.kmsKeyArn },
  inputKeyArns: { inputKeyArns: EVERYTHING.inputKeyArns },
  jobSubnetIds: {
    jobSubnetIds: EVERYTHING.jobSubnetIds,
    jobSecurityGroupIds: EVERYTHING.jobSecurityGroupIds,
  },
  jobSecurityGroupIds: { jobSubnetIds: 'subnet-0a', jobSecurityGroupIds: 'sg-0a' },
  huggingFaceTokenSecretArn: { huggingFaceTokenSecretArn: EVERYTHING.huggingFaceTokenSecretArn },
  email: { email: EVERYTHING.email },
  destroyBucket: { destroyBucket: true },
};

test('cfn-lint finds nothing wrong with the stack, in every region that has batch inference', () => {
  expect(REGIONS.length).toBeGreaterThan(20);
  const { text } = readTemplate();
  expect(lint([{ name: 'the stack', template: JSON.parse(text), regions: REGIONS }])).toEqual([]);
});

test('every context key is synthesized alone, and changes the stack', () => {
  expect(Object.keys(VALUES).sort()).toEqual([...SETTING_KEYS].sort());
  const plain = JSON.stringify(synthesize().template.toJSON());
  for (const [name, context] of Object.entries(VALUES)) {
    expect(JSON.stringify(synthesize(context).template.toJSON()), name).not.toBe(plain);
  }
});

test('cfn-lint finds nothing wrong with the stack that has everything switched on', () => {
  const context = Object.assign({}, ...Object.values(VALUES), EVERYTHING);
  const template = synthesize(context).template.toJSON();
  expect(lint([{ name: 'everything', template, regions: [REGION] }])).toEqual([]);
});

test('cfn-lint would find a property that CloudFormation does not know', () => {
  const template = synthesize().template.toJSON();
  const [bucket] = Object.values<{ Type: string; Properties: object }>(template.Resources).filter(
    ({ Type }) => Type === 'AWS::S3::Bucket',
  );
  Object.assign(bucket?.Properties ?? {}, { Encrypted: true });
  const found = lint([{ name: 'broken', template, regions: [REGION] }]);
  expect(found).toEqual([
    expect.objectContaining({ rule: 'E3002', message: expect.stringContaining('Encrypted') }),
  ]);
});
