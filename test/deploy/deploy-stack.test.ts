import { expect, test } from 'vitest';
import { reasonsOf } from '../../src/deploy/deploy-stack.ts';

test('the resources that failed are told with their reasons, not those that went down with them', () => {
  const event = (LogicalResourceId: string, ResourceStatus: string, ResourceStatusReason?: string) => ({
    StackName: 'Quarry',
    StackId: 'id',
    EventId: LogicalResourceId,
    Timestamp: new Date(0),
    ResourceType: 'AWS::IAM::Role',
    LogicalResourceId,
    ResourceStatus: ResourceStatus as 'CREATE_FAILED',
    ...(ResourceStatusReason === undefined ? {} : { ResourceStatusReason }),
  });
  expect(
    reasonsOf([
      event('Bucket', 'CREATE_COMPLETE'),
      event('Role', 'CREATE_FAILED', 'An SCP forbids it.'),
      event('Topic', 'CREATE_FAILED', 'Resource creation cancelled'),
      event('Queue', 'DELETE_FAILED'),
      event('Quarry', 'CREATE_FAILED', 'The following resource(s) failed'),
    ]),
  ).toEqual([
    '  Role (AWS::IAM::Role) CREATE_FAILED: An SCP forbids it.',
    '  Queue (AWS::IAM::Role) DELETE_FAILED: no reason given',
  ]);
});
