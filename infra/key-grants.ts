import { Stack, Token } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
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

/** Reading what others have encrypted, through the services that datasets and the token come from. */
export function inputKeyGrants(scope: Construct, keyArns: readonly string[]): Grant[] {
  if (keyArns.length === 0) return [];
  const { region, urlSuffix } = Stack.of(scope);
  return [
    {
      sid: 'InputKeys',
      actions: ['kms:Decrypt'],
      resources: keyArns,
      conditions: {
        StringEquals: {
          'kms:ViaService': ['s3', 'secretsmanager'].map((service) => `${service}.${region}.${urlSuffix}`),
        },
      },
      reason:
        'The keys of input buckets and of the Hugging Face secret, through S3 and Secrets Manager only.',
    },
  ];
}

/** Throws where a key is not in the stack's region, as S3 and Secrets Manager take no other; unknown regions pass. */
export function refuseForeignKeys(scope: Construct, keyArns: readonly string[]): void {
  const { region } = Stack.of(scope);
  if (Token.isUnresolved(region)) return;
  const foreign = keyArns.find((arn) => arn.split(':')[3] !== region);
  if (foreign === undefined) return;
  throw new Error(
    `The key ${foreign} is in ${foreign.split(':')[3]}, and the stack in ${region}: a bucket or a secret takes a key of its own region only. Give one of ${region}.`,
  );
}
