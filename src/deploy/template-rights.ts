import { isJsonObject, type JsonObject } from '../core/text/json-value.ts';
import { textOfValue } from './template-text.ts';

/** One right, or one refusal, of a template: of one action on one resource. */
export interface TemplateRight {
  /** Logical id of the role that has it, or of what the policy is attached to. */
  owner: string;
  effect: 'Allow' | 'Deny';
  action: string;
  resource: string;
  /** Whom a policy of a resource, or a role's trust, lets in; null in a role's own policies. */
  principal: string | null;
  /** As JSON; null where there is none. */
  condition: string | null;
}

interface PolicyPlace {
  owner: string;
  document: unknown;
  /** What its statements are about where they name no resource. */
  resource: string;
}

/** Every right that a template gives, of whatever kind of policy. */
export function rightsOf(template: JsonObject): TemplateRight[] {
  const resources = isJsonObject(template.Resources) ? template.Resources : {};
  return Object.entries(resources).flatMap(([id, resource]) => {
    if (!isJsonObject(resource)) return [];
    const properties = isJsonObject(resource.Properties) ? resource.Properties : {};
    if (resource.Type === 'AWS::Lambda::Permission') return [rightOfPermission(properties)];
    return [
      ...policiesOf(id, properties).flatMap(rightsOfPolicy),
      ...listOf(properties.ManagedPolicyArns).map(
        (policy): TemplateRight => ({ ...ALL_OF_A_POLICY, owner: id, resource: textOfValue(policy) }),
      ),
    ];
  });
}

const ALL_OF_A_POLICY = {
  effect: 'Allow',
  action: 'all that the policy allows',
  principal: null,
  condition: null,
} as const;

function policiesOf(id: string, properties: JsonObject): PolicyPlace[] {
  const { AssumeRolePolicyDocument, PolicyDocument, Policies, Roles } = properties;
  // A role of the template by its own id, as its trust is listed by.
  const holders = listOf(Roles).map((role) => textOfValue(role).replace(/^\$\{(\w+)\}$/, '$1'));
  return [
    { owner: id, document: AssumeRolePolicyDocument, resource: id },
    ...(holders.length === 0 ? [id] : holders).map((owner) => ({
      owner,
      document: PolicyDocument,
      resource: id,
    })),
    ...listOf(Policies)
      .filter(isJsonObject)
      .map((policy) => ({ owner: id, document: policy.PolicyDocument, resource: id })),
  ];
}

function rightsOfPolicy({ owner, document, resource }: PolicyPlace): TemplateRight[] {
  const statements = isJsonObject(document) ? listOf(document.Statement).filter(isJsonObject) : [];
  return statements.flatMap((statement) => {
    const actions = [
      ...listOf(statement.Action).map(textOfValue),
      ...listOf(statement.NotAction).map((action) => `all but ${textOfValue(action)}`),
    ];
    const named = [
      ...listOf(statement.Resource).map(textOfValue),
      ...listOf(statement.NotResource).map((other) => `all but ${textOfValue(other)}`),
    ];
    return actions.flatMap((action) =>
      (named.length === 0 ? [resource] : named).map(
        (on): TemplateRight => ({
          owner,
          effect: statement.Effect === 'Deny' ? 'Deny' : 'Allow',
          action,
          resource: on,
          principal: textOrNull(statement.Principal ?? statement.NotPrincipal),
          condition: textOrNull(statement.Condition),
        }),
      ),
    );
  });
}

/** A permission to call a function, which is a policy of one statement. */
function rightOfPermission(properties: JsonObject): TemplateRight {
  const { Action, FunctionName, Principal, SourceArn, SourceAccount } = properties;
  return {
    owner: textOfValue(FunctionName),
    effect: 'Allow',
    action: textOfValue(Action),
    resource: textOfValue(FunctionName),
    principal: textOfValue(Principal),
    condition: textOrNull(SourceArn ?? SourceAccount),
  };
}

function textOrNull(value: unknown): string | null {
  return value === undefined ? null : textOfValue(value);
}

function listOf(value: unknown): unknown[] {
  return value === undefined ? [] : [value].flat();
}
