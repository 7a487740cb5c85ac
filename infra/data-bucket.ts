import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

/** How the data bucket is kept. */
export interface DataBucketOptions {
  encryptionKey: IKey | undefined;
  workingFilesDays: number;
  /** Deletes the bucket and all in it with the stack. */
  destroy: boolean;
}

/** Days after which an upload that was broken off is forgotten. */
const BROKEN_UPLOAD_DAYS = 7;

/** Makes the bucket of datasets, working files (`working/`) and results (`runs/`). */
export function createDataBucket(scope: Construct, id: string, options: DataBucketOptions): Bucket {
  const { encryptionKey, workingFilesDays, destroy } = options;
  const bucket = new Bucket(scope, id, {
    ...(encryptionKey === undefined
      ? { encryption: BucketEncryption.S3_MANAGED }
      : { encryption: BucketEncryption.KMS, encryptionKey, bucketKeyEnabled: true }),
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    lifecycleRules: [
      {
        id: 'BrokenUploads',
        abortIncompleteMultipartUploadAfter: Duration.days(BROKEN_UPLOAD_DAYS),
      },
      { id: 'WorkingFiles', prefix: 'working/', expiration: Duration.days(workingFilesDays) },
    ],
    // A first deployment that fails takes its empty bucket along: nobody would look for it.
    removalPolicy: destroy ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    autoDeleteObjects: destroy,
  });
  Validations.of(bucket).acknowledge({
    id: 'AwsSolutions-S1',
    reason:
      'Access logs would cost money while nothing runs; CloudTrail data events can be switched on where an audit asks for them.',
  });
  return bucket;
}
