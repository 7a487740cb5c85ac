import { expect, test } from 'vitest';
import { parseSettings, SETTING_KEYS } from '../../infra/settings.ts';

test('without any context there is a sound deployment', () => {
  expect(parseSettings({})).toMatchObject({
    maxConcurrentJobs: 100,
    pollSeconds: 300,
    destroyBucket: false,
    inputBuckets: [],
    watchedModels: [],
  });
});

test('the command line’s text is read as numbers, lists and yes or no', () => {
  expect(
    parseSettings({
      maxConcurrentJobs: '5',
      destroyBucket: 'true',
      allowedModels: 'amazon.nova-*, us.anthropic.claude-haiku-4-5-20251001-v1:0',
    }),
  ).toMatchObject({
    maxConcurrentJobs: 5,
    destroyBucket: true,
    allowedModels: ['amazon.nova-*', 'us.anthropic.claude-haiku-4-5-20251001-v1:0'],
  });
});

test.each<[Record<string, unknown>, string]>([
  [{ maxConcurrentJobs: 'many' }, 'maxConcurrentJobs = "many": must be a whole number'],
  [{ maxConcurrentJobs: 0 }, 'maxConcurrentJobs = 0: must be a whole number from 1 to 1000'],
  [{ pollSeconds: 5 }, 'pollSeconds = 5: must be a whole number from 60 to 3600'],
  [{ logRetentionDays: 31 }, 'logRetentionDays = 31: must be one of 1, 3, 5, 7'],
  [{ allowedModels: 'claude' }, 'allowedModels = "claude": must be a model id'],
  [{ allowedModels: [] }, 'allowedModels = []: must name a model'],
  [{ watchedModels: 'anthropic.*' }, 'watchedModels = "anthropic.*": must be an exact model id'],
  [{ watchedModels: 'a.b,a.c,a.d,a.e,a.f,a.g' }, 'five models at most'],
  [{ inputBuckets: 's3://bucket' }, 'must be bucket or bucket=account'],
  [{ kmsKeyArn: 'alias/my-key' }, 'must be the ARN of a KMS key, not of an alias'],
  [{ inputKeyArns: 'alias/theirs' }, 'inputKeyArns = "alias/theirs": must be the ARN of a KMS key'],
  [
    { allowedModels: Array.from({ length: 40 }, (_, n) => `anthropic.claude-${n}-20251001-v1:0`) },
    'names more models than the policy of a role has room for; use patterns, such as anthropic.*',
  ],
  [{ jobSubnetIds: 'subnet-0a' }, 'jobSubnetIds = "subnet-0a": and jobSecurityGroupIds are given together'],
  [{ jobSubnetIds: 'vpc-1', jobSecurityGroupIds: 'sg-0' }, 'must be subnet ids'],
  [{ email: 'me' }, 'email = "me": must be an e-mail address'],
  [{ destroyBucket: 'yes' }, 'destroyBucket = "yes": must be true or false'],
  [{ minRecordsPerJob: 500, maxRecordsPerJob: 400 }, 'is greater than maxRecordsPerJob'],
  [{ maxConcurentJobs: 3 }, 'maxConcurentJobs: is unknown. Did you mean maxConcurrentJobs?'],
  [{ 'max-concurrent-jobs': 3 }, 'Did you mean maxConcurrentJobs?'],
  [{ Email: 'a@example.com' }, 'Did you mean email?'],
])('%o is refused with its key', (context, message) => {
  expect(() => parseSettings(context)).toThrow(message);
});

test('all faults are named at once', () => {
  expect(() => parseSettings({ pollSeconds: 1, email: 'me', maxConcurrentJob: 1 })).toThrow(
    /pollSeconds.*email.*maxConcurrentJobs/s,
  );
});

test('context of others is none of ours', () => {
  expect(() =>
    parseSettings({ '@aws-cdk/core:newStyleStackSynthesis': true, stackName: 'Mine', team: 'data' }),
  ).not.toThrow();
});

test('every key of cdk.json is known', async () => {
  const { default: cdk } = await import('../../cdk.json', { with: { type: 'json' } });
  const ours = Object.keys(cdk.context).filter((key) => !key.includes(':'));
  expect(SETTING_KEYS).toEqual(expect.arrayContaining(ours));
  expect(() => parseSettings(cdk.context)).not.toThrow();
});
