import { systemClock } from '../core/clock.ts';
import { VERSION } from '../core/version.ts';
import { type DeployedTarget, openDeployedTarget } from '../targets/aws/deployed-target.ts';
import { sha256 } from '../targets/local/local-target.ts';

/** Which stack, and as whom. */
export interface StackPlace {
  stack_name: string;
  region: string | undefined;
  profile: string | null;
}

/** Finds the stack, and opens what reaches it. */
export function openStack({ stack_name, region, profile }: StackPlace): Promise<DeployedTarget> {
  return openDeployedTarget({
    stackName: stack_name,
    region,
    profile: profile ?? undefined,
    version: VERSION,
    clock: systemClock,
    random: Math.random,
    hash: sha256,
  });
}
