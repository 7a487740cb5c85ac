import { expect, test } from 'vitest';
import { changesOf } from '../../src/deploy/template-changes.ts';

const ROLE = { Ref: 'StepRole' };

function template(statement: object, others: object = {}) {
  return {
    Resources: {
      StepPolicy: {
        Type: 'AWS::IAM::Policy',
        Properties: { Roles: [ROLE], PolicyDocument: { Statement: [statement] } },
      },
      ...others,
    },
  };
}

const READ = {
  Effect: 'Allow',
  Action: ['s3:GetObject', 's3:PutObject'],
  Resource: { 'Fn::Join': ['', [{ 'Fn::GetAtt': ['Data', 'Arn'] }, '/runs/*']] },
};
const OWN = { StringEquals: { 'aws:ResourceAccount': '123456789012' } };

/** What is new, as `action on resource`. */
function newRights(before: object, after: object): string[] {
  const { newRights: rights } = changesOf(template(before), template(after));
  return rights.map(({ owner, effect, action, resource, condition }) =>
    [owner, effect, action, 'on', resource, ...(condition === null ? [] : ['where', condition])].join(' '),
  );
}

test('everything of a stack that is not there yet is new', () => {
  const { resources, newRights: rights } = changesOf({}, template(READ));
  expect(resources).toEqual([{ change: 'added', type: 'AWS::IAM::Policy', id: 'StepPolicy' }]);
  expect(rights.map(({ action, resource }) => `${action} ${resource}`)).toEqual([
    's3:GetObject ${Data.Arn}/runs/*',
    's3:PutObject ${Data.Arn}/runs/*',
  ]);
});

test('a further action, a wider resource and a condition less are new rights', () => {
  expect(newRights(READ, { ...READ, Action: [...READ.Action, 's3:DeleteObject'] })).toEqual([
    'StepRole Allow s3:DeleteObject on ${Data.Arn}/runs/*',
  ]);
  expect(
    newRights({ ...READ, Action: 's3:GetObject' }, { ...READ, Action: 's3:GetObject', Resource: '*' }),
  ).toEqual(['StepRole Allow s3:GetObject on *']);
  expect(newRights({ ...READ, Condition: OWN }, READ)).toHaveLength(2);
});

test('a refusal that goes is a new right; one that comes is none', () => {
  const deny = { Effect: 'Deny', NotAction: 's3:GetObject', NotResource: 'x', NotPrincipal: '*' };
  expect(newRights(deny, { ...deny, NotResource: 'y' })).toEqual([
    'StepRole Deny all but s3:GetObject on all but x',
  ]);
  expect(changesOf({}, template(deny)).lostRights).toHaveLength(1);
});

test('policies of resources, trusts, inline and managed policies, and permissions to call are rights too', () => {
  const others = {
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: {
          Statement: {
            Effect: 'Allow',
            Action: 'sts:AssumeRole',
            Principal: { Service: 'bedrock.amazonaws.com' },
          },
        },
        Policies: [
          { PolicyDocument: { Statement: [{ Effect: 'Allow', Action: 'a:B', Resource: ['x', 'y'] }] } },
        ],
        ManagedPolicyArns: [{ 'Fn::Sub': 'arn:${AWS::Partition}:iam::aws:policy/Admin' }],
      },
    },
    Call: {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        Action: 'lambda:InvokeFunction',
        FunctionName: { Ref: 'Step' },
        Principal: 's3.amazonaws.com',
        SourceArn: 'arn:aws:s3:::b',
      },
    },
  };
  const { newRights: rights } = changesOf(template(READ), template(READ, others));
  expect(
    rights.map(({ owner, action, resource, principal }) => [owner, action, resource, principal]),
  ).toEqual([
    ['Role', 'sts:AssumeRole', 'Role', 'Service: bedrock.amazonaws.com'],
    ['Role', 'a:B', 'x', null],
    ['Role', 'a:B', 'y', null],
    ['Role', 'all that the policy allows', 'arn:${AWS::Partition}:iam::aws:policy/Admin', null],
    ['${Step}', 'lambda:InvokeFunction', '${Step}', 's3.amazonaws.com'],
  ]);
});

test('a resource that changed or went is told; metadata of the CDK is not', () => {
  const topic = (name: string) => ({
    Type: 'AWS::SNS::Topic',
    Properties: { TopicName: name },
    Metadata: { at: name },
  });
  const before = { Resources: { Same: { ...topic('a') }, Other: topic('b'), Gone: topic('c') } };
  const after = {
    Resources: {
      Same: { ...topic('a'), Metadata: { at: 'z' } },
      Other: topic('d'),
      CDKMetadata: { Type: 'AWS::CDK::Metadata' },
    },
  };
  expect(changesOf(before, after).resources).toEqual([
    { change: 'changed', id: 'Other', type: 'AWS::SNS::Topic' },
    { change: 'removed', id: 'Gone', type: 'AWS::SNS::Topic' },
  ]);
});
