import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { QuarryStack } from '../../infra/quarry-stack.ts';
import { parseSettings } from '../../infra/settings.ts';

/** The stack with these context keys, and its template; the functions' code is left out. */
export function synthesize(context: Record<string, unknown> = {}): {
  app: App;
  stack: QuarryStack;
  template: Template;
} {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  const stack = new QuarryStack(app, 'Quarry', { settings: parseSettings(context) });
  return { app, stack, template: Template.fromStack(stack) };
}

/** Every optional thing switched on. */
export const EVERYTHING = {
  email: 'data@example.com',
  kmsKeyArn: 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  jobSubnetIds: 'subnet-0a,subnet-0b',
  jobSecurityGroupIds: 'sg-0a',
  inputBuckets: 'our-input,their-input=444455556666',
  huggingFaceTokenSecretArn: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:hugging-face-AbCdEf',
  watchedModels: 'anthropic.claude-3-haiku-20240307-v1:0,amazon.nova-lite-v1:0',
};
