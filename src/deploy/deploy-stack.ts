import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stack, StackEvent } from '@aws-sdk/client-cloudformation';
import { DeploymentError } from '../core/errors.ts';
import type { JsonObject } from '../core/text/json-value.ts';
import { type Account, openAccount, requireOurs, type StackAddress } from './account.ts';
import { requireCdk } from './cdk-packages.ts';
import { changesOf, type TemplateChanges } from './template-changes.ts';

/** What is to be deployed. */
export interface DeploymentRequest extends StackAddress {
  /** Context keys of `quarry/cdk`'s stack, as `cdk.json` has them. */
  context: JsonObject;
}

/** What a deployment would do. */
export interface DeploymentPlan {
  stack: string;
  account: string;
  region: string;
  /** State of the stack as CloudFormation has it; null where there is none yet. */
  status: string | null;
  changes: TemplateChanges;
}

/** A stack as it was deployed. */
export interface DeployedStack extends Omit<DeploymentPlan, 'status'> {
  status: string;
  /** What it puts out, by name. */
  outputs: Record<string, string>;
}

/** A synthesized stack, to be looked at before it is deployed. Disposing of it removes what was synthesized. */
export interface Deployment extends AsyncDisposable {
  plan: DeploymentPlan;
  /** Uploads the code and lets CloudFormation work. Throws DeploymentError with the reasons of the resources that failed. */
  deploy(options: { onProgress(text: string): void; signal: AbortSignal }): Promise<DeployedStack>;
}

/** States of a stack whose template says nothing of what there is. */
const NOTHING_THERE = ['REVIEW_IN_PROGRESS', 'ROLLBACK_COMPLETE', 'ROLLBACK_FAILED', 'DELETE_IN_PROGRESS'];

/** Synthesizes the stack, and compares it with what is deployed. Changes nothing at AWS. Throws DeploymentError for a context that is not valid, a missing CDK, a stack that is not Quarry's. */
export async function planDeployment(request: DeploymentRequest): Promise<Deployment> {
  const cdk = requireCdk();
  await using cleanUp = new AsyncDisposableStack();
  const account = cleanUp.use(await openAccount(request));
  const { stackName } = request;
  const stack = await account.find(stackName);
  if (stack !== undefined) requireOurs(stack);
  const directory = await mkdtemp(join(tmpdir(), 'quarry-deploy-'));
  cleanUp.defer(() => rm(directory, { recursive: true, force: true }));
  const template = await synthesize(request, { account, directory });
  const isThere = stack !== undefined && !NOTHING_THERE.includes(stack.StackStatus ?? '');
  const plan: DeploymentPlan = {
    stack: stackName,
    account: account.account,
    region: account.region,
    status: stack?.StackStatus ?? null,
    changes: changesOf(isThere ? await account.templateOf(stackName) : {}, template),
  };
  const opened = cleanUp.move();
  return {
    plan,
    deploy: async ({ onProgress, signal }) => {
      const seen = new Set<string>();
      if (stack?.StackId !== undefined) await account.newEventsOf(stack.StackId, seen);
      const args = ['deploy', '--app', directory, '--method', 'direct', '--require-approval', 'never'];
      const profile = request.profile === undefined ? [] : ['--profile', request.profile];
      const status = await runCdk([cdk, ...args, '--progress', 'events', '--no-notices', ...profile], {
        region: account.region,
        onProgress,
        signal,
      });
      signal.throwIfAborted();
      const deployed = await account.find(stackName);
      if (status !== 0) throw await failureOf(account, { stack: deployed, stackName, seen });
      return { ...plan, status: deployed?.StackStatus ?? 'unknown', outputs: outputsOf(deployed) };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function synthesize(
  { stackName, context }: DeploymentRequest,
  { account: { account, region }, directory }: { account: Account; directory: string },
): Promise<JsonObject> {
  // Only now: without the CDK it cannot even be loaded.
  const { synthesizeStack } = await import('../../infra/synthesize.ts');
  try {
    return synthesizeStack({ stackName, context, account, region, outputDirectory: directory });
  } catch (error) {
    throw new DeploymentError((error as Error).message, { cause: error });
  }
}

/** Runs the CDK's own command line, and gives its exit status. Where it is stopped, CloudFormation goes on with what it was told. */
function runCdk(
  args: readonly string[],
  { region, onProgress, signal }: { region: string; onProgress(text: string): void; signal: AbortSignal },
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, AWS_REGION: region, CDK_DISABLE_CLI_TELEMETRY: 'true' },
    });
    const stop = () => void child.kill('SIGINT');
    signal.addEventListener('abort', stop, { once: true });
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', onProgress);
    child.once('error', reject);
    child.once('close', (status) => {
      signal.removeEventListener('abort', stop);
      resolve(status);
    });
  });
}

interface FailedDeployment {
  stack: Stack | undefined;
  stackName: string;
  seen: Set<string>;
}

async function failureOf(
  { account, region, newEventsOf }: Account,
  { stack, stackName, seen }: FailedDeployment,
): Promise<DeploymentError> {
  const place = `in ${region} of account ${account}`;
  const reasons = stack?.StackId === undefined ? [] : reasonsOf(await newEventsOf(stack.StackId, seen));
  const advice =
    'To try again: quarry deploy\nWhere the CDK says that the account is not bootstrapped, do that once: ' +
    `npx cdk bootstrap aws://${account}/${region}`;
  return new DeploymentError(
    reasons.length === 0
      ? `The stack "${stackName}" ${place} was not deployed; what the CDK says of it is above. ${advice}`
      : `The stack "${stackName}" ${place} was not deployed (${stack?.StackStatus}):\n${reasons.join('\n')}\nTo try again: quarry deploy`,
  );
}

/** The resources that failed and why, without those that only went down with them. */
export function reasonsOf(events: readonly StackEvent[]): string[] {
  return events
    .filter(
      ({ ResourceStatus, ResourceStatusReason = '', LogicalResourceId, StackName }) =>
        ResourceStatus?.endsWith('_FAILED') &&
        LogicalResourceId !== StackName &&
        !/^Resource (?:creation|update|deletion) cancelled/i.test(ResourceStatusReason),
    )
    .map(
      ({ LogicalResourceId, ResourceType, ResourceStatus, ResourceStatusReason }) =>
        `  ${LogicalResourceId} (${ResourceType}) ${ResourceStatus}: ${ResourceStatusReason ?? 'no reason given'}`,
    );
}

function outputsOf(stack: Stack | undefined): Record<string, string> {
  return Object.fromEntries(
    (stack?.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
  );
}
