import { expect } from 'vitest';
import { xmlError } from '../support/aws-double.ts';
import { bucketSettings, testFaults } from './doctor-double.ts';

testFaults([
  [
    'no bucket',
    'Bucket',
    { 'HEAD /the-bucket*': { status: 404, body: '' } },
    {
      status: 'failed',
      found: 'There is no bucket "the-bucket".',
      advice: 'Check the name, or create it (aws s3 mb), in the region of the jobs.',
    },
  ],
  [
    'a bucket of somebody else',
    'Bucket',
    { 'HEAD /the-bucket*': { status: 403, body: '' } },
    {
      status: 'failed',
      found: 'The bucket "the-bucket" is not account 123456789012’s, or you may not look at it.',
      advice: 'Check its name and the account. Allow s3:ListBucket on it, to you and in its policy.',
    },
  ],
  [
    'a bucket in another region',
    'Bucket',
    { 'HEAD /the-bucket*': { status: 301, headers: { 'x-amz-bucket-region': 'eu-west-1' }, body: '' } },
    {
      status: 'failed',
      found: 'The bucket "the-bucket" is in eu-west-1, and jobs would run in us-east-1.',
      advice: 'Run where the bucket is (AWS_REGION), or use a bucket of this region: Bedrock takes no other.',
    },
  ],
  [
    'a bucket without encryption',
    'Encryption',
    {
      'GET /the-bucket*': ({ query }) =>
        query.has('encryption')
          ? xmlError('ServerSideEncryptionConfigurationNotFoundError', 'No.', 404)
          : { body: '' },
    },
    {
      status: 'warning',
      found: '"the-bucket" says nothing of encryption.',
      advice: 'Encrypt it: aws s3api put-bucket-encryption --bucket the-bucket …',
    },
  ],
  [
    'a bucket with a key',
    'Encryption',
    {
      'GET /the-bucket*': bucketSettings({
        encryption:
          '<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>the-key</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>',
      }),
    },
    {
      status: 'ok',
      found: 'aws:kms with the-key: the service role needs kms:Decrypt and kms:GenerateDataKey on it',
    },
  ],
  [
    'a bucket that can be opened to the world',
    'Public access',
    {
      'GET /the-bucket*': bucketSettings({
        block:
          '<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>',
      }),
    },
    {
      status: 'warning',
      found:
        'Public access to "the-bucket" is not blocked: IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets.',
      advice: 'Block it, unless the account does: S3 console, the bucket, Permissions, Block public access.',
    },
  ],
  [
    'a bucket that says nothing of public access',
    'Public access',
    { 'GET /the-bucket*': xmlError('NoSuchPublicAccessBlockConfiguration', 'No.', 404) },
    { status: 'warning', found: expect.stringContaining('is not blocked: BlockPublicAcls') },
  ],
  [
    'a bucket that cannot be written',
    'Objects',
    { 'PUT /the-bucket/datasets/*': xmlError('AccessDenied', 'Access Denied', 403) },
    {
      status: 'failed',
      found: expect.stringMatching(
        /^Could not write s3:\/\/the-bucket\/datasets\/quarry-doctor-.*Access Denied/,
      ),
      advice: 'Datasets cannot be uploaded. Allow s3:PutObject on the-bucket/*.',
    },
  ],
  [
    'a bucket that cannot be read',
    'Objects',
    { 'GET /the-bucket/datasets/*': xmlError('AccessDenied', 'Access Denied', 403) },
    { status: 'failed', advice: 'Results cannot be read. Allow s3:GetObject on the-bucket/*.' },
  ],
  [
    'a bucket from which nothing can be deleted',
    'Objects',
    { 'DELETE /the-bucket/datasets/*': xmlError('AccessDenied', 'Access Denied', 403) },
    {
      status: 'warning',
      found: expect.stringMatching(/An object of 13 bytes stays there\.$/),
      advice:
        'Only quarry resume deletes anything, and only in runs/: allow s3:DeleteObject on the-bucket/runs/*.',
    },
  ],
  [
    'an answer that nobody expects',
    'Encryption',
    { 'GET /the-bucket*': xmlError('MethodNotAllowed', 'Strange.', 405) },
    {
      status: 'failed',
      found: 'MethodNotAllowed: Strange.',
      advice: 'This is not expected: the message is the service’s own.',
    },
  ],
]);
