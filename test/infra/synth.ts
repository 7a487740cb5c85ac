import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { QuarryStack } from '../../infra/quarry-stack.ts';
import { parseSettings } from '../../infra/settings.ts';

/** The stack with these context keys, and its template; the functions' code is left out. */
export function synthesize(
  context: Record<string, unknown> = {},
  env?: { account: string; region: string },
): {
  app: App;
  stack: QuarryStack;
  template: Template;
} {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  const stack = new QuarryStack(app, 'Quarry', {
    settings: parseSettings(context),
    ...(env === undefined ? {} : { env }),
  });
  return { app, stack, template: Template.fromStack(stack) };
}

/** Every optional thing switched on. */
export const EVERYTHING = {
  email: 'data@example.com',
  kmsKeyArn: 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  jobSubnetIds: 'subnet-0a,subnet-0b',
  jobSecurityGroupIds: 'sg-0a',
  inputBuckets: 'our-input,their-input=444455556666',
  inputKeyArns:
    'arn:aws:kms:us-east-1:444455556666:key/0000aaaa-12ab-34cd-56ef-1234567890ab,arn:aws:kms:us-east-1:111122223333:key/0000bbbb-12ab-34cd-56ef-1234567890ab',
  huggingFaceTokenSecretArn: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:hugging-face-AbCdEf',
  watchedModels: 'anthropic.claude-3-haiku-20240307-v1:0,amazon.nova-lite-v1:0',
};

/** One statement of a synthesized policy. */
export interface Statement {
  Sid: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: unknown;
}

/** The statements of the policies of roles whose logical id contains this. */
export function statementsOf({ template }: { template: Template }, policyId: string): Statement[] {
  return Object.entries(template.findResources('AWS::IAM::Policy'))
    .filter(([id]) => id.includes(policyId))
    .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
}

/** The statement of a policy by its name. */
export function statement(
  from: { template: Template },
  policyId: string,
  sid: string,
): Statement | undefined {
  return statementsOf(from, policyId).find(({ Sid }) => Sid === sid);
}
