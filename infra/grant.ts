import { Stack, Validations } from 'aws-cdk-lib';
import { type IRole, Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

/** One permission, with the reason why it is there and as wide as it is. */
export interface Grant {
  /** Letters and digits; names the statement in the template. */
  sid: string;
  actions: readonly string[];
  resources: readonly string[];
  conditions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  reason: string;
}

/** Attaches grants to a role as one policy; their reasons answer for its wildcards. */
export function attachGrants(scope: Construct, id: string, { role, grants }: RoleGrants): Policy {
  const policy = new Policy(scope, id, {
    roles: [role],
    statements: grants.map(
      ({ sid, actions, resources, conditions }) =>
        new PolicyStatement({
          sid,
          actions: [...actions],
          resources: [...resources],
          ...(conditions === undefined ? {} : { conditions: { ...conditions } }),
        }),
    ),
  });
  const wildcards = new Set(grants.flatMap(({ resources }) => resources.filter((arn) => arn.includes('*'))));
  for (const arn of wildcards) {
    Validations.of(policy).acknowledge({
      id: `AwsSolutions-IAM5[Resource::${findingOf(Stack.of(scope).resolve(arn))}]`,
      reason: grants
        .filter(({ resources }) => resources.includes(arn))
        .map(({ sid, reason }) => `${sid}: ${reason}`)
        .join(' '),
    });
  }
  return policy;
}

/** A resolved resource as cdk-nag writes it in the id of a finding: references in angle brackets. */
function findingOf(resolved: unknown): string {
  if (typeof resolved !== 'object' || resolved === null) return String(resolved);
  const [[name, value] = ['', '']] = Object.entries(resolved);
  switch (name) {
    case 'Fn::Join':
      return (value as [string, unknown[]])[1].map(findingOf).join('');
    case 'Fn::GetAtt':
      return `<${(value as string[]).join('.')}>`;
    default:
      return `<${String(value)}>`;
  }
}

/** A role, and what it may do. */
export interface RoleGrants {
  role: IRole;
  grants: readonly Grant[];
}
