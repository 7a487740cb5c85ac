import { expect, test } from 'vitest';
import { allowingStatement, matches, type PolicyStatement } from './iam-policy.ts';

const PASS_ROLE: PolicyStatement = {
  Sid: 'PassServiceRole',
  Effect: 'Allow',
  Action: 'iam:PassRole',
  Resource: 'arn:aws:iam::123456789012:role/bedrock',
  Condition: { StringEquals: { 'iam:PassedToService': 'bedrock.amazonaws.com' } },
};
const RIGHT = { action: 'iam:PassRole', resource: 'arn:aws:iam::123456789012:role/bedrock' };

test('a star stands for any text, slashes included, and nothing else is special', () => {
  expect(matches('arn:aws:s3:::b/runs/*/plan.json', 'arn:aws:s3:::b/runs/a/b/plan.json')).toBe(true);
  expect(matches('arn:aws:s3:::b/runs/*/plan.json', 'arn:aws:s3:::b/runs/a/planXjson')).toBe(false);
  expect(matches('arn:aws:s3:::b', 'arn:aws:s3:::bb')).toBe(false);
});

test('a right needs its action, its resource and every condition', () => {
  const bedrock = { 'iam:PassedToService': 'bedrock.amazonaws.com' };
  expect(allowingStatement([PASS_ROLE], { ...RIGHT, context: bedrock })?.statement).toBe(PASS_ROLE);
  expect(allowingStatement([PASS_ROLE], RIGHT)).toBeUndefined();
  expect(
    allowingStatement([PASS_ROLE], { ...RIGHT, context: { 'iam:PassedToService': 'ec2.amazonaws.com' } }),
  ).toBeUndefined();
  expect(
    allowingStatement([PASS_ROLE], { ...RIGHT, action: 'iam:GetRole', context: bedrock }),
  ).toBeUndefined();
  expect(allowingStatement([PASS_ROLE], { ...RIGHT, resource: 'x', context: bedrock })).toBeUndefined();
});

test('a condition that is not understood does not hold', () => {
  const odd = { ...PASS_ROLE, Condition: { DateLessThan: { 'aws:CurrentTime': '2030-01-01' } } };
  expect(allowingStatement([odd], RIGHT)).toBeUndefined();
});
