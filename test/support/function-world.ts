import { afterEach, beforeEach, vi } from 'vitest';
import type { StepName } from '../../src/workflow/definition.ts';
import { type S3Double, startS3Double } from './s3-double.ts';
import { readStepPolicies, type StepPolicies, s3RefusalOf } from './step-policies.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const BUCKET = 'data-bucket';

/** What a test of the Lambda functions has around it. */
export interface FunctionWorld {
  s3: S3Double;
  /** All that was written to the standard streams, which is what Lambda logs. */
  lines: string[];
  /** Those of the stack, unless the test changes them. */
  policies: StepPolicies;
  /** Calls a step's function, to whose role S3 answers by the stack's policies. */
  call(step: StepName, input: unknown, context?: { awsRequestId: string }): Promise<unknown>;
}

/** For each test of a file: an S3, the environment of a function of the stack, and its log. */
export function useFunctionWorld(environment: Readonly<Record<string, string>> = {}): FunctionWorld {
  let atWork: StepName | undefined;
  const world = {
    call: async (step, input, context) => {
      const file = step.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      const { handler } = await import(`../../src/handlers/${file}.ts`);
      atWork = step;
      try {
        return await handler(input, context);
      } finally {
        atWork = undefined;
      }
    },
  } as FunctionWorld;
  beforeEach(async () => {
    world.s3 = await startS3Double();
    world.policies = readStepPolicies();
    world.s3.fault = (request) =>
      atWork === undefined
        ? undefined
        : s3RefusalOf(request, {
            rights: world.policies[atWork],
            bucket: BUCKET,
            isThere: world.s3.objects.has(request.path),
          });
    world.lines = [];
    for (const [name, value] of Object.entries({
      QUARRY_BUCKET: BUCKET,
      QUARRY_BUCKET_OWNER: '111122223333',
      QUARRY_ROLE_ARN: 'arn:aws:iam::111122223333:role/bedrock',
      QUARRY_VERSION: '1.2.3',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL: world.s3.url,
      // Beside other tests of functions, each of which has `/tmp` to itself.
      TMPDIR: await temporaryDirectory(),
      ...environment,
    })) {
      vi.stubEnv(name, value);
    }
    for (const stream of [process.stdout, process.stderr]) {
      vi.spyOn(stream, 'write').mockImplementation((line) => {
        world.lines.push(String(line));
        return true;
      });
    }
    vi.resetModules();
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    await world.s3[Symbol.asyncDispose]();
  });
  return world;
}
