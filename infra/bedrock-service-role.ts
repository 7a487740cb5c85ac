import { Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { attachGrants, type Grant } from './grant.ts';
import { keyGrants } from './key-grants.ts';

/** What jobs may reach. */
export interface BedrockServiceRoleOptions {
  bucket: Bucket;
  modelArns: readonly string[];
  encryptionKey: IKey | undefined;
  jobNetwork: JobNetwork | undefined;
}

/** Network that jobs reach the bucket through. */
export interface JobNetwork {
  subnetIds: readonly string[];
  securityGroupIds: readonly string[];
}

/**
 * Makes the role that Bedrock assumes for the jobs of this account and region, and for nothing else.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/batch-iam-sr.html
 */
export function createBedrockServiceRole(
  scope: Construct,
  id: string,
  { bucket, modelArns, encryptionKey, jobNetwork }: BedrockServiceRoleOptions,
): Role {
  const { account, region, partition } = Stack.of(scope);
  const jobs = `arn:${partition}:bedrock:${region}:${account}:model-invocation-job/*`;
  const role = new Role(scope, id, {
    description: 'Assumed by Amazon Bedrock for batch inference jobs.',
    assumedBy: new ServicePrincipal('bedrock.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': account },
        ArnLike: { 'aws:SourceArn': jobs },
      },
    }),
  });
  const ownAccount = { StringEquals: { 'aws:ResourceAccount': account } };
  attachGrants(scope, `${id}Policy`, {
    role,
    grants: [
      {
        sid: 'ListBucket',
        actions: ['s3:ListBucket'],
        resources: [bucket.bucketArn],
        conditions: ownAccount,
        reason: 'Bedrock lists the input and the output location before a job starts.',
      },
      {
        sid: 'RecordsAndOutput',
        actions: ['s3:GetObject', 's3:PutObject'],
        resources: [bucket.arnForObjects('working/*')],
        conditions: ownAccount,
        reason: 'Any run’s records are read, and output written, below working/.',
      },
      {
        sid: 'Models',
        actions: ['bedrock:InvokeModel'],
        resources: modelArns,
        reason: 'The allowed models, in every region that a cross-region profile may use.',
      },
      ...keyGrants(encryptionKey, ['kms:Decrypt', 'kms:GenerateDataKey']),
      ...(jobNetwork === undefined ? [] : networkGrants(scope, jobNetwork, jobs)),
    ],
  });
  return role;
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/batch-vpc.html */
function networkGrants(scope: Construct, { subnetIds, securityGroupIds }: JobNetwork, jobs: string): Grant[] {
  const { account, region, partition } = Stack.of(scope);
  const ec2 = `arn:${partition}:ec2:${region}:${account}`;
  const interfaces = `${ec2}:network-interface/*`;
  const subnets = subnetIds.map((subnetId) => `${ec2}:subnet/${subnetId}`);
  return [
    {
      sid: 'DescribeNetwork',
      actions: [
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeVpcs',
        'ec2:DescribeDhcpOptions',
        'ec2:DescribeSubnets',
        'ec2:DescribeSecurityGroups',
      ],
      resources: ['*'],
      reason: 'EC2’s Describe actions know no resources.',
    },
    {
      sid: 'CreateInterfaces',
      actions: ['ec2:CreateNetworkInterface'],
      resources: [
        interfaces,
        ...subnets,
        ...securityGroupIds.map((groupId) => `${ec2}:security-group/${groupId}`),
      ],
      reason: 'Each job makes network interfaces of its own in the given subnets.',
    },
    {
      sid: 'ManageInterfaces',
      actions: [
        'ec2:CreateNetworkInterfacePermission',
        'ec2:DeleteNetworkInterface',
        'ec2:DeleteNetworkInterfacePermission',
      ],
      resources: ['*'],
      conditions: {
        StringEquals: { 'ec2:ResourceTag/BedrockManaged': 'true' },
        ArnLike: { 'ec2:ResourceTag/BedrockModelInvocationJobArn': jobs },
        ArnEquals: { 'ec2:Subnet': subnets },
      },
      reason: 'The interfaces’ ids are known only when they exist; their tags say that they are a job’s.',
    },
    {
      sid: 'TagInterfaces',
      actions: ['ec2:CreateTags'],
      resources: [interfaces],
      conditions: {
        StringEquals: { 'ec2:CreateAction': 'CreateNetworkInterface' },
        'ForAllValues:StringEquals': {
          'aws:TagKeys': ['BedrockManaged', 'BedrockModelInvocationJobArn'],
        },
      },
      reason: 'New interfaces are tagged as a job’s own, and nothing else is.',
    },
  ];
}
