import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { splitProfile } from '../src/models/catalog/model-id.ts';

/**
 * The resources that stand for the allowed models: the foundation models, in every region that a profile may send
 * a request to, and their inference profiles here.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
 */
export function modelArns(scope: Construct, allowedModels: readonly string[]): string[] {
  const { partition, region, account } = Stack.of(scope);
  const arns = allowedModels.flatMap((model) => {
    if (model.startsWith('arn:')) return [model];
    const { prefix, rest: base } = splitProfile(model);
    const profile = prefix === undefined ? `*.${base}` : model;
    return [
      `arn:${partition}:bedrock:*::foundation-model/${base}`,
      `arn:${partition}:bedrock:${region}:${account}:inference-profile/${profile}`,
    ];
  });
  return [...new Set(arns)];
}

/**
 * Characters that the ARNs of allowed models may take in a role's policies, which hold 10,240 in all; the rest is for what
 * else the role may do. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export const MAX_MODEL_ARN_CHARACTERS = 6000;

/** Characters that the ARNs of these models take, in the partition and region with the longest names. */
export function modelArnCharacters(allowedModels: readonly string[]): number {
  const model = '"arn:aws-us-gov:bedrock:*::foundation-model/",'.length;
  const profile = '"arn:aws-us-gov:bedrock:ap-southeast-1:111122223333:inference-profile/*.",'.length;
  return allowedModels.reduce(
    (sum, name) => sum + (name.startsWith('arn:') ? name.length + 3 : model + profile + 2 * name.length),
    0,
  );
}
