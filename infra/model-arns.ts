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
