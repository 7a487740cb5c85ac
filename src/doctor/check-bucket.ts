import { randomUUID } from 'node:crypto';
import {
  DeleteObjectCommand,
  GetBucketEncryptionCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { callAws } from '../bedrock/call-aws.ts';
import type { S3Uri } from '../core/s3-uri.ts';
import { toS3Error } from '../store/s3-errors.ts';
import { type Finding, failed, ok, UnmetNeed, warning } from './check.ts';
import type { DoctorWorld } from './doctor-world.ts';

/** Whether the bucket is there, in this region, and its owner's. */
export async function checkBucket(world: DoctorWorld): Promise<Finding> {
  const { s3, region } = world;
  const { bucket, owner } = await bucketOf(world);
  const here = await region();
  try {
    const { BucketRegion } = await s3.send(
      new HeadBucketCommand({ Bucket: bucket, ExpectedBucketOwner: owner }),
    );
    if (BucketRegion !== undefined && BucketRegion !== here) return inOtherRegion(bucket, BucketRegion, here);
    return ok(`"${bucket}" in ${here}, of account ${owner}`);
  } catch (error) {
    const { $metadata, $response } = error as {
      $metadata?: { httpStatusCode?: number };
      $response?: { headers?: Record<string, string> };
    };
    switch ($metadata?.httpStatusCode) {
      case 301:
      case 400:
        return inOtherRegion(bucket, $response?.headers?.['x-amz-bucket-region'] ?? 'another region', here);
      case 403:
        return failed(
          `The bucket "${bucket}" is not account ${owner}’s, or you may not look at it.`,
          'Check its name and the account. Allow s3:ListBucket on it, to you and in its policy.',
        );
      case 404:
        return failed(
          `There is no bucket "${bucket}".`,
          'Check the name, or create it (aws s3 mb), in the region of the jobs.',
        );
      default:
        throw toS3Error(error, { uri: `s3://${bucket}/`, doing: 'look at' });
    }
  }
}

function inOtherRegion(bucket: string, region: string, here: string): Finding {
  return failed(
    `The bucket "${bucket}" is in ${region}, and jobs would run in ${here}.`,
    'Run where the bucket is (AWS_REGION), or use a bucket of this region: Bedrock takes no other.',
  );
}

/** Whether objects are encrypted where they lie. */
export async function checkEncryption(world: DoctorWorld): Promise<Finding> {
  const { bucket, owner } = await bucketOf(world);
  const advice = `Encrypt it: aws s3api put-bucket-encryption --bucket ${bucket} …`;
  const rules = await callAws(
    { doing: `read the encryption of "${bucket}"`, action: 's3:GetEncryptionConfiguration' },
    async () => {
      try {
        const { ServerSideEncryptionConfiguration } = await world.s3.send(
          new GetBucketEncryptionCommand({ Bucket: bucket, ExpectedBucketOwner: owner }),
        );
        return ServerSideEncryptionConfiguration?.Rules ?? [];
      } catch (error) {
        if ((error as Error).name === 'ServerSideEncryptionConfigurationNotFoundError') return [];
        throw error;
      }
    },
  );
  const { SSEAlgorithm, KMSMasterKeyID } = rules[0]?.ApplyServerSideEncryptionByDefault ?? {};
  if (SSEAlgorithm === undefined) return warning(`"${bucket}" says nothing of encryption.`, advice);
  return ok(
    KMSMasterKeyID === undefined
      ? `${SSEAlgorithm}`
      : `${SSEAlgorithm} with ${KMSMasterKeyID}: the service role needs kms:Decrypt and kms:GenerateDataKey on it`,
  );
}

/** Whether nobody can open the bucket to the world. */
export async function checkPublicAccess(world: DoctorWorld): Promise<Finding> {
  const { bucket, owner } = await bucketOf(world);
  const blocked = await callAws(
    { doing: `read the public access block of "${bucket}"`, action: 's3:GetBucketPublicAccessBlock' },
    async () => {
      try {
        const { PublicAccessBlockConfiguration } = await world.s3.send(
          new GetPublicAccessBlockCommand({ Bucket: bucket, ExpectedBucketOwner: owner }),
        );
        return PublicAccessBlockConfiguration ?? {};
      } catch (error) {
        if ((error as Error).name === 'NoSuchPublicAccessBlockConfiguration') return {};
        throw error;
      }
    },
  );
  const open = (
    ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'] as const
  ).filter((setting) => blocked[setting] !== true);
  return open.length === 0
    ? ok('blocked')
    : warning(
        `Public access to "${bucket}" is not blocked: ${open.join(', ')}.`,
        'Block it, unless the account does: S3 console, the bucket, Permissions, Block public access.',
      );
}

/** Whether we can write, read and delete: a small object is there for a moment. */
export async function checkObjects(world: DoctorWorld): Promise<Finding> {
  const { s3 } = world;
  const { bucket, owner } = await bucketOf(world);
  const key = `datasets/quarry-doctor-${randomUUID()}`;
  const uri: S3Uri = `s3://${bucket}/${key}`;
  const at = { Bucket: bucket, Key: key, ExpectedBucketOwner: owner };
  const attempt = async (doing: string, action: string, request: () => Promise<unknown>) => {
    try {
      await request();
      return undefined;
    } catch (error) {
      const { message } = toS3Error(error, { uri, doing, expectedOwner: owner }) as Error;
      return { message, action };
    }
  };
  const written = await attempt('write', 's3:PutObject', () =>
    s3.send(new PutObjectCommand({ ...at, Body: 'quarry doctor' })),
  );
  if (written !== undefined) {
    return failed(written.message, `Datasets cannot be uploaded. Allow ${written.action} on ${bucket}/*.`);
  }
  const read = await attempt('read', 's3:GetObject', async () => {
    const { Body } = await s3.send(new GetObjectCommand(at));
    await Body?.transformToString();
  });
  const deleted = await attempt('delete', 's3:DeleteObject', () => s3.send(new DeleteObjectCommand(at)));
  if (read !== undefined) {
    return failed(read.message, `Results cannot be read. Allow ${read.action} on ${bucket}/*.`);
  }
  return deleted === undefined
    ? ok('written, read and deleted')
    : warning(
        `${deleted.message} An object of 13 bytes stays there.`,
        `Only quarry resume deletes anything, and only in runs/: allow ${deleted.action} on ${bucket}/runs/*.`,
      );
}

async function bucketOf({ place }: DoctorWorld): Promise<{ bucket: string; owner: string }> {
  const { bucket, owner } = await place();
  if (bucket === undefined) throw new UnmetNeed('Not checked: name the bucket with --bucket.');
  return { bucket, owner };
}
