import type { DeploymentPlan } from '../../deploy/deploy-stack.ts';
import type { DestructionPlan } from '../../deploy/destroy-stack.ts';
import type { TemplateRight } from '../../deploy/template-rights.ts';
import { count } from './format.ts';

/** What a deployment would change, every right by itself. */
export function deploymentView({ stack, account, region, status, changes }: DeploymentPlan): string {
  const { resources, newRights, lostRights } = changes;
  const place = `${region} of account ${account}`;
  const lines = [
    status === null
      ? `The stack "${stack}" is created in ${place}.`
      : `The stack "${stack}" in ${place} is ${status}.`,
    '',
    ...(resources.length === 0
      ? ['No resource changes.']
      : [
          `${count(resources.length, 'resource')}:`,
          ...resources.map(({ change, type, id }) => `  ${change.padEnd(8)} ${type.padEnd(30)} ${id}`),
        ]),
    ...rightsView('New or broader rights', newRights),
    ...rightsView('Rights that go, or are refused', lostRights),
  ];
  return `${lines.join('\n')}\n`;
}

function rightsView(title: string, rights: readonly TemplateRight[]): string[] {
  if (rights.length === 0) return [];
  const groups = Map.groupBy(rights, (right) => JSON.stringify({ ...right, action: null, resource: null }));
  return ['', `${title}:`, ...[...groups.values()].flatMap(groupView)];
}

/** Rights of one owner that differ in action and resource only. */
function groupView(rights: readonly TemplateRight[]): string[] {
  const [{ owner, effect, principal, condition }] = rights as [TemplateRight, ...TemplateRight[]];
  const who = principal === null ? owner : `${principal} → ${owner}`;
  const byActions = Map.groupBy(
    Map.groupBy(rights, ({ resource }) => resource),
    ([, on]) => on.map(({ action }) => action).join(', '),
  );
  return [
    `  ${who}${effect === 'Deny' ? ' (refused)' : ''}${condition === null ? '' : ` where ${condition}`}`,
    ...[...byActions].map(
      ([actions, on]) => `    ${actions} on ${on.map(([resource]) => resource).join(', ')}`,
    ),
  ];
}

/** What a destruction would delete, and what stays. */
export function destructionView({ stack, account, region, kept, running }: DestructionPlan): string {
  const work =
    running.length === 0
      ? []
      : [
          `${count(running.length, 'execution')} at work: ${running.join(', ')}. Their jobs go on at Bedrock, and are paid for.`,
        ];
  return `${[`The stack "${stack}" in ${region} of account ${account} is deleted.`, kept, ...work].join('\n')}\n`;
}
