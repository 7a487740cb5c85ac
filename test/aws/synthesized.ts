import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { PublicAccessBlockConfiguration } from '@aws-sdk/client-s3';
import { STEP_NAMES, type StepName } from '../../src/workflow/definition.ts';
import type { PolicyStatement } from './iam-policy.ts';
import { MOTO_ACCOUNT, REGION } from './moto.ts';

/** Where `npm run synth` has left the template and the bundles. */
export const CDK_OUT = join(import.meta.dirname, '..', '..', 'cdk.out');

/** A reference to another resource's attribute, as CDK writes it. */
interface AttributeReference {
  'Fn::GetAtt': [id: string, name: string];
}

/** What is read here of resources' properties; a resource has those of its type. */
interface TemplateProperties {
  Code: { S3Key: string };
  DefinitionString: unknown;
  DefinitionSubstitutions: Record<string, AttributeReference | { Ref: string }>;
  FunctionName: { Ref: string };
  Environment: { Variables: unknown };
  PolicyDocument: { Statement: unknown };
  PublicAccessBlockConfiguration: PublicAccessBlockConfiguration;
  Role: AttributeReference;
  RoleArn: AttributeReference;
  Roles: { Ref: string }[];
}

/** One resource of the template. */
export interface TemplateResource {
  Type: string;
  Properties: TemplateProperties;
  Metadata?: Record<string, unknown>;
}

/** The synthesized template, as text and as its resources. */
export function readTemplate(): { text: string; resources: Record<string, TemplateResource> } {
  const text = readFileSync(join(CDK_OUT, 'Quarry.template.json'), 'utf8');
  return { text, resources: JSON.parse(text).Resources };
}

/** Logical id of the resource that a reference names. */
export function referredId(reference: AttributeReference | undefined): string {
  if (reference === undefined) throw new Error('The template has no such reference.');
  return reference['Fn::GetAtt'][0];
}

/** Logical id of a step's function; of the version that the state machine calls, see `versionIdOf`. */
export function functionIdOf(step: StepName, resources: Record<string, TemplateResource>): string {
  return resources[versionIdOf(step, resources)]?.Properties.FunctionName.Ref ?? '';
}

/** Logical id of the version of a step's function that the state machine calls. */
export function versionIdOf(step: StepName, resources: Record<string, TemplateResource>): string {
  const [machine] = Object.values(resources).filter(
    ({ Type }) => Type === 'AWS::StepFunctions::StateMachine',
  );
  const version = machine?.Properties.DefinitionSubstitutions[`${step}Function`];
  if (version === undefined || !('Ref' in version)) throw new Error(`${step} is not called by a version.`);
  return version.Ref;
}

/** Folder of a step's bundle. */
export function assetOf(step: StepName, resources: Record<string, TemplateResource>): string {
  const path = resources[functionIdOf(step, resources)]?.Metadata?.['aws:asset:path'];
  return join(CDK_OUT, String(path));
}

/** Every step with its bundle. */
export function allAssets(resources: Record<string, TemplateResource>): { step: StepName; asset: string }[] {
  return STEP_NAMES.map((step) => ({ step, asset: assetOf(step, resources) }));
}

/** Bytes of a file, or of all files below a folder. */
export function sizeOf(path: string): number {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

/** Puts physical names in the place of references, as CloudFormation does. */
export function createResolver(
  resources: Record<string, TemplateResource>,
  physicalIds: ReadonlyMap<string, string>,
): (value: unknown) => unknown {
  const pseudo: Record<string, string> = {
    'AWS::Partition': 'aws',
    'AWS::Region': REGION,
    'AWS::AccountId': MOTO_ACCOUNT,
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': 'Quarry',
  };
  const physical = (id: string) => pseudo[id] ?? physicalIds.get(id) ?? `unknown-${id}`;
  const attribute = (id: string, name: string): string => {
    const value = physical(id);
    if (name === 'Name') return value.split(':').at(-1) ?? '';
    if (value.startsWith('arn:')) return value;
    switch (resources[id]?.Type) {
      case 'AWS::S3::Bucket':
        return `arn:aws:s3:::${value}`;
      case 'AWS::IAM::Role':
        return `arn:aws:iam::${MOTO_ACCOUNT}:role/${value}`;
      case 'AWS::Lambda::Function':
        return `arn:aws:lambda:${REGION}:${MOTO_ACCOUNT}:function:${value}`;
      case 'AWS::Logs::LogGroup':
        return `arn:aws:logs:${REGION}:${MOTO_ACCOUNT}:log-group:${value}:*`;
      default:
        return `unknown-${id}.${name}`;
    }
  };
  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== 'object' || value === null) return value;
    if ('Ref' in value) return physical(String(value.Ref));
    if ('Fn::GetAtt' in value) {
      const [id = '', name = ''] = value['Fn::GetAtt'] as string[];
      return attribute(id, name);
    }
    if ('Fn::Join' in value) {
      const [separator, parts] = value['Fn::Join'] as [string, unknown[]];
      return parts.map(resolve).join(separator);
    }
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner)]));
  };
  return resolve;
}

/** The resolved statements of all policies of a role, by the role's logical id. */
export function statementsOfRole(
  roleId: string,
  resources: Record<string, TemplateResource>,
  resolve: (value: unknown) => unknown,
): PolicyStatement[] {
  return Object.values(resources)
    .filter(
      ({ Type, Properties }) =>
        Type === 'AWS::IAM::Policy' && Properties.Roles.some(({ Ref }) => Ref === roleId),
    )
    .flatMap(({ Properties }) => resolve(Properties.PolicyDocument.Statement) as PolicyStatement[]);
}
