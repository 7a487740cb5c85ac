import { expect, test } from 'vitest';
import { MAX_MODEL_ARN_CHARACTERS, modelArnCharacters } from '../../infra/model-arns.ts';
import { EVERYTHING, statement, statementsOf, synthesize } from './synth.ts';

const plain = synthesize();
const full = synthesize(EVERYTHING);

test('only Plan and Prepare decrypt what others have encrypted, through S3 and Secrets Manager only', () => {
  for (const policy of ['PlanPolicy', 'PreparePolicy']) {
    expect(statement(full, policy, 'InputKeys')).toMatchObject({
      Action: 'kms:Decrypt',
      Resource: EVERYTHING.inputKeyArns.split(','),
      Condition: { StringEquals: { 'kms:ViaService': [expect.anything(), expect.anything()] } },
    });
  }
  expect(statementsOf(full, '').filter(({ Sid }) => Sid === 'InputKeys')).toHaveLength(2);
  expect(statementsOf(plain, '').filter(({ Sid }) => Sid === 'InputKeys')).toEqual([]);
});

test.each(['kmsKeyArn', 'inputKeyArns'])(
  'a key of another region, as %s, is refused before anything is deployed',
  (key) => {
    const context = {
      [key]: 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    };
    expect(() => synthesize(context, { account: '111122223333', region: 'us-east-1' })).toThrow(
      'The key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab is in eu-west-1, and the stack in us-east-1: a bucket or a secret takes a key of its own region only. Give one of us-east-1.',
    );
    expect(() => synthesize(context, { account: '111122223333', region: 'eu-west-1' })).not.toThrow();
  },
);

test('as many models as may be allowed fit into the policies of every role', () => {
  const models: string[] = [];
  const next = () => `anthropic.claude-model-of-a-long-name-20251001-v${models.length}:0`;
  while (modelArnCharacters([...models, next()]) <= MAX_MODEL_ARN_CHARACTERS) models.push(next());
  const { template } = synthesize(
    { ...EVERYTHING, allowedModels: models.join(',') },
    { account: '111122223333', region: 'us-east-1' },
  );
  const sizes = new Map<string, number>();
  for (const { Properties } of Object.values(template.findResources('AWS::IAM::Policy'))) {
    const text = JSON.stringify(resolved(Properties.PolicyDocument));
    for (const role of Properties.Roles) {
      sizes.set(role.Ref, (sizes.get(role.Ref) ?? 0) + text.length);
    }
  }
  expect(models.length).toBeGreaterThan(20);
  expect([...sizes].filter(([, size]) => size > 10_240)).toEqual([]);
});

/** References replaced by texts as long as they may become: the name of a partition, or an ARN. */
function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== 'object' || value === null) return value;
  if ('Fn::Join' in value) {
    const [separator, parts] = value['Fn::Join'] as [string, unknown[]];
    return parts.map(resolved).join(separator);
  }
  if ('Ref' in value && value.Ref === 'AWS::Partition') return 'aws-us-gov';
  if ('Ref' in value || 'Fn::GetAtt' in value) return 'x'.repeat(110);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolved(inner)]));
}
