import { systemClock } from '../core/clock.ts';
import { VERSION } from '../core/version.ts';
import type { DoctorOptions } from '../doctor/doctor-world.ts';
import { DEFAULT_STACK_NAME } from '../targets/aws/deployment.ts';
import type { QuarryOptions } from './quarry-options.ts';

/** What is examined: the target that is named, or that the other options are of. */
export function doctorOptionsOf(options: QuarryOptions, modelId: string | undefined): DoctorOptions {
  const { target, stack, bucket, roleArn, region, profile } = options;
  const ofBedrock = bucket !== undefined || roleArn !== undefined;
  return {
    target: target ?? (stack !== undefined ? 'aws' : ofBedrock ? 'bedrock' : 'local'),
    stackName: stack ?? DEFAULT_STACK_NAME,
    bucket,
    roleArn,
    modelId,
    region,
    profile,
    version: VERSION,
    clock: systemClock,
    fetch,
    environment: process.env,
  };
}
