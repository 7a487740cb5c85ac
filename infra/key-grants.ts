import { Stack } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Grant } from './grant.ts';

/** The use of the bucket's key through S3; nothing where the bucket has none of its own. */
export function keyGrants(
  key: IKey | undefined,
  actions: readonly ('kms:Decrypt' | 'kms:GenerateDataKey')[],
): Grant[] {
  if (key === undefined) return [];
  return [
    {
      sid: 'BucketKey',
      actions,
      resources: [key.keyArn],
      conditions: {
        StringEquals: { 'kms:ViaService': `s3.${Stack.of(key).region}.${Stack.of(key).urlSuffix}` },
      },
      reason: 'The bucket’s own key, through S3 only.',
    },
  ];
}
