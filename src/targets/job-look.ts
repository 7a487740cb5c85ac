import { join } from 'node:path';
import { BedrockClient, type BedrockClientConfig } from '@aws-sdk/client-bedrock';
import { createJobControl } from '../bedrock/job-control.ts';
import { systemClock } from '../core/clock.ts';
import type { RunPlan } from '../core/plan/run-plan.ts';
import type { SeenJob } from '../runs/run-files-watch.ts';
import type { RunTarget } from '../runs/run-target.ts';
import { createDirectoryStore } from '../store/directory-store.ts';
import { countOtherJobs, jobsOfRun } from './jobs-of-run.ts';
import { servingUrl } from './local/shared-emulator.ts';
import type { RunFiles } from './run-files.ts';

/** The jobs of a target's runs, to be looked at and nothing more. */
export interface JobLook extends Disposable {
  /** The jobs of a run as they are now; none where the service does not answer. */
  jobsOf(plan: RunPlan): AsyncIterable<SeenJob>;
  /** How many jobs of its models and not its own are under way in the account; null where there is no account, or it does not tell. */
  heldByOthers(plan: RunPlan): Promise<number | null>;
  /** Why the service could not be asked the last time; undefined where it could. */
  fault(): string | undefined;
}

/** Milliseconds that a service has for an answer: somebody looks at the screen. */
const ANSWER_DEADLINE_MS = 10_000;

/** Opens what tells of a target's jobs; starts nothing, so that of a folder whose emulator does not run nothing is told. */
export async function openJobLook({
  target,
  dir,
  bucket,
}: Pick<RunFiles, 'target' | 'dir' | 'bucket'>): Promise<JobLook> {
  let client = await openClient(target, dir);
  let fault: string | undefined;
  return {
    jobsOf: async function* (plan) {
      // Whoever takes a run up again has an emulator of its own, elsewhere.
      if (target.kind === 'local' && (client === undefined || fault !== undefined)) {
        client?.destroy();
        client = await openClient(target, dir);
      }
      fault = undefined;
      if (client === undefined) return;
      try {
        yield* jobsOfRun(plan, { jobs: createJobControl(client), bucket });
      } catch (error) {
        fault = (error as Error).message;
      }
    },
    heldByOthers: async (plan) => {
      if (target.kind === 'local' || client === undefined) return null;
      const asked = { jobs: createJobControl(client), bucket, nowMs: systemClock.now() };
      return countOtherJobs(plan, asked).catch(() => null);
    },
    fault: () => fault,
    [Symbol.dispose]: () => client?.destroy(),
  };
}

/** Undefined where there is nobody who could be asked. */
async function openClient(target: RunTarget, dir: string): Promise<BedrockClient | undefined> {
  const options = await clientOptionsOf(target, dir);
  return (
    options &&
    new BedrockClient({
      ...options,
      maxAttempts: 2,
      requestHandler: { requestTimeout: ANSWER_DEADLINE_MS, throwOnRequestTimeout: true },
    })
  );
}

async function clientOptionsOf(target: RunTarget, dir: string): Promise<BedrockClientConfig | undefined> {
  if (target.kind !== 'local') {
    const { region, profile } = target;
    return { region, ...(profile === null ? {} : { profile }) };
  }
  const url = target.emulator_url ?? (await servingUrl(createDirectoryStore(join(dir, '.emulator'))));
  if (url === undefined) return undefined;
  return {
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
}
