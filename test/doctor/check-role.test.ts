import { expect } from 'vitest';
import { xmlError } from '../support/aws-double.ts';
import {
  ACCOUNT,
  GIVEN,
  identity,
  MODEL,
  ROLE,
  role,
  simulation,
  TRUST,
  testFaults,
} from './doctor-double.ts';

testFaults([
  [
    'no role',
    'Service role',
    { GetRole: xmlError('NoSuchEntity', 'No.', 404) },
    {
      status: 'failed',
      found: 'There is no role QuarryService.',
      advice: 'Check its name; a stack makes one of its own: npm run cdk deploy.',
    },
  ],
  [
    'a role of another account',
    'Service role',
    {},
    {
      status: 'failed',
      found:
        'The service role arn:aws:iam::999999999999:role/x is of another account than yours, 123456789012.',
      advice: 'Use a role of the account in which the jobs run, or sign in to the other one.',
    },
    { ...GIVEN, roleArn: 'arn:aws:iam::999999999999:role/x' },
  ],
  [
    'a role that does not trust Bedrock',
    'Service role',
    { GetRole: role([{ ...TRUST, Principal: { Service: ['lambda.amazonaws.com'] } }]) },
    {
      status: 'failed',
      found: 'The role QuarryService does not trust bedrock.amazonaws.com: no job could read its input.',
      advice: expect.stringContaining(
        'Let that service assume it, with the condition aws:SourceAccount = 123456789012',
      ),
    },
  ],
  [
    'a role that trusts Bedrock for everybody',
    'Service role',
    { GetRole: role({ ...TRUST, Condition: undefined }) },
    {
      status: 'warning',
      found: 'The role QuarryService trusts Bedrock without the condition aws:SourceAccount.',
      advice: expect.stringContaining('Add aws:SourceAccount = 123456789012 to its trust policy'),
    },
  ],
  [
    'a role that trusts Bedrock for somebody else',
    'Service role',
    { GetRole: role({ ...TRUST, Condition: { StringEquals: { 'AWS:SourceAccount': ['999999999999'] } } }) },
    {
      status: 'failed',
      found: 'The role QuarryService trusts Bedrock for jobs of account 999999999999, not 123456789012.',
      advice: 'Set aws:SourceAccount to 123456789012 in its trust policy.',
    },
  ],
  [
    'a role that may not write',
    'Role’s rights',
    { SimulatePrincipalPolicy: simulation('s3:PutObject') },
    {
      status: 'failed',
      found:
        'The service role may not s3:PutObject on arn:aws:s3:::the-bucket/working/quarry-doctor/parts/p00000/records.jsonl.',
      advice: 'Deploy again (npm run cdk deploy); a model has to be in allowedModels, see docs/aws.md.',
    },
  ],
  [
    'a role that may not invoke the model',
    'Role’s rights',
    { SimulatePrincipalPolicy: simulation('bedrock:InvokeModel') },
    {
      status: 'failed',
      found: `The service role may not bedrock:InvokeModel on arn:aws:bedrock:us-east-1:${ACCOUNT}:inference-profile/${MODEL}, bedrock:InvokeModel on arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-haiku-4-5-20251001-v1:0.`,
      advice: 'Allow that in a policy of the role: docs/aws.md has them all.',
    },
    GIVEN,
  ],
  [
    'policies that may not be simulated',
    'Role’s rights',
    { SimulatePrincipalPolicy: xmlError('AccessDenied', 'No.', 403) },
    {
      status: 'skipped',
      found: `Could not simulate the policies of ${ROLE}: No. Allow iam:SimulatePrincipalPolicy.`,
    },
  ],
  [
    'a caller that may not pass the role',
    'Passing the role',
    { SimulatePrincipalPolicy: simulation('iam:PassRole') },
    {
      status: 'failed',
      found: `You may not iam:PassRole on ${ROLE}: no job could be created.`,
      advice: 'Allow it in your policy, with the condition iam:PassedToService = bedrock.amazonaws.com.',
    },
    GIVEN,
  ],
  [
    'a caller that cannot be simulated',
    'Passing the role',
    { GetCallerIdentity: identity(`arn:aws:iam::${ACCOUNT}:root`) },
    { status: 'skipped', found: 'Not checked: it cannot be simulated for this kind of credentials.' },
    GIVEN,
  ],
  [
    'a session of a role',
    'Passing the role',
    { GetCallerIdentity: identity(`arn:aws:sts::${ACCOUNT}:assumed-role/QuarryService/me`) },
    { status: 'ok' },
    GIVEN,
  ],
]);
