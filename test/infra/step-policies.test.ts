import { expect, test } from 'vitest';
import { rightsOf } from '../../src/deploy/template-rights.ts';
import { STEP_NAMES } from '../../src/workflow/definition.ts';
import { type StepPolicies, withInputBucket } from '../support/step-policies.ts';
import { synthesize } from './synth.ts';

/** A condition of one key, from its text: `StringEquals: iam:PassedToService: bedrock.amazonaws.com`. */
function conditionOf(text: string): Record<string, Record<string, string>> {
  const [, operator, key, value] = /^(\w+): (\w+:\w+): ([\w.]+)$/.exec(text) ?? [];
  if (operator === undefined || key === undefined || value === undefined)
    throw new Error(`A condition of another form: ${text}`);
  return { [operator]: { [key]: value } };
}

/** What each step may do in the stack with these context keys. */
function policiesOf(context: Record<string, unknown>): StepPolicies {
  const { template } = synthesize(context, { account: '123456789012', region: 'us-east-1' });
  const rights = rightsOf(template.toJSON()).filter(({ action }) =>
    /^(?:s3|bedrock|iam|servicequotas):/.test(action),
  );
  const policies = STEP_NAMES.map((step) => {
    const role = `Quarry${step.charAt(0).toUpperCase()}${step.slice(1)}Role`;
    const own = rights.filter(({ owner }) => owner.slice(0, -8) === role);
    expect(own.length, step).toBeGreaterThan(0);
    return [
      step,
      own.map(({ action, resource, condition }) => ({
        action,
        resource: resource
          .replace('${AWS::Partition}', 'aws')
          .replace(/^\$\{QuarryData\w+\.Arn\}/, 'arn:aws:s3:::BUCKET')
          .replace(/^\$\{QuarryServiceRole\w+\.Arn\}$/, 'SERVICE_ROLE'),
        ...(condition === null ? {} : { condition: conditionOf(condition) }),
      })),
    ];
  });
  return Object.fromEntries(policies);
}

test('the policies that the steps are held against are those of the stack', async () => {
  const text = `${JSON.stringify(policiesOf({}), null, 2)}\n`;
  expect(text).not.toContain('${');
  await expect(text).toMatchFileSnapshot('../fixtures/policies/steps.json');
});

test('with input buckets Plan and Prepare may read them too, and no other step may', () => {
  const sorted = (policies: StepPolicies) =>
    Object.values(policies).map((rights) => rights.map((right) => JSON.stringify(right)).sort());
  expect(sorted(policiesOf({ inputBuckets: 'our-input' }))).toEqual(
    sorted(withInputBucket(policiesOf({}), 'our-input')),
  );
});
