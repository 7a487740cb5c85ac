import type { Clock } from '../../src/core/clock.ts';
import { linesOf } from '../../src/core/text/lines.ts';
import type { Quarry, QuarryEvent, RunRequest, RunSummary } from '../../src/index.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import type { DeployedTarget } from '../../src/targets/aws/deployed-target.ts';
import { jobsOfRun, layoutOf } from '../../src/targets/jobs-of-run.ts';
import { nothingSeen, type Observations, type RunFigures } from './observations.ts';

/** What is done to an account. */
export interface ProofAccount {
  deploy(): Promise<void>;
  /** The library, once the stack is there. */
  quarry: Quarry;
  openTarget(): Promise<DeployedTarget>;
  /** Sets an alarm of the stack off, and gives CloudWatch's own word on its action. */
  testAlarm(): Promise<string>;
  /** Deletes the stack, and the bucket with all that is in it. */
  destroy(): Promise<void>;
}

/** What is proven, and who is told. */
export interface ProofOptions {
  rows: number;
  modelId: string;
  clock: Clock;
  tell(text: string): void;
}

const RUN_ID = 'proof';
/** Lines of an output that are looked at. */
const LINES = 5;

/** Deploys, runs, cancels half-way, resumes, sets an alarm off, and destroys, whatever fails in between; what was seen. */
export async function proveDeployment(account: ProofAccount, options: ProofOptions): Promise<Observations> {
  const seen = nothingSeen();
  const { clock, tell } = options;
  const step = async (name: string, work: () => Promise<void>): Promise<boolean> => {
    const startedMs = clock.now();
    tell(`${name} …\n`);
    try {
      await work();
    } catch (error) {
      seen.failed[name] = `${(error as Error).name}: ${(error as Error).message}`;
    }
    seen.tookMs[name] = clock.now() - startedMs;
    const why = seen.failed[name];
    tell(`${name}: ${why ?? `done in ${(seen.tookMs[name] / 1000).toFixed(1)} s`}\n`);
    return why === undefined;
  };
  if (await step('deploy', account.deploy)) {
    await step('cancel half-way', () => cancelHalfWay(account, options, seen));
    await step('resume', () => resume(account, options, seen));
    await step('alarm', async () => {
      seen.alarm = await account.testAlarm();
    });
  }
  await step('destroy', account.destroy);
  return seen;
}

/** Rows that ask for a word each, in two jobs at least. */
function requestOf({ rows, modelId }: ProofOptions): RunRequest {
  return {
    dataset: Array.from({ length: rows }, (_, row) => ({ n: row })),
    model: modelId,
    prompt: 'Answer with the number {n} and nothing else.',
    inference_parameters: { max_tokens: 16 },
    max_records_per_job: Math.max(100, Math.ceil(rows / 2)),
    pilot: false,
    run_id: RUN_ID,
  };
}

async function cancelHalfWay(
  { quarry, openTarget }: ProofAccount,
  options: ProofOptions,
  seen: Observations,
): Promise<void> {
  const jobs = new Map<string, string[]>();
  const run = await quarry.run(requestOf(options), { onProgress: (event) => note(event, jobs) });
  for await (const event of run) {
    if (event.kind === 'job' && event.status === 'InProgress') break;
  }
  const cancelled = await quarry.cancel(run.id);
  await run.result.catch(() => {});
  seen.statuses.push(...jobs.values());
  // One that had ended before says nothing of a cancel.
  if (cancelled.kind === 'cancelled') seen.cancelled = figuresOf(cancelled.summary);
  await using target = await openTarget();
  await lookAtJobs(target, run.plan, seen);
}

function note(event: QuarryEvent, jobs: Map<string, string[]>): void {
  if (event.kind !== 'job') return;
  const statuses = jobs.get(event.jobArn) ?? [];
  if (statuses.at(-1) !== event.status) statuses.push(event.status);
  jobs.set(event.jobArn, statuses);
}

async function lookAtJobs(
  { jobs, store, deployment: { bucket } }: DeployedTarget,
  plan: Parameters<typeof jobsOfRun>[0] | undefined,
  seen: Observations,
): Promise<void> {
  if (plan === undefined) return;
  const layout = layoutOf(bucket, RUN_ID);
  for await (const { status, partId } of jobsOfRun(plan, { jobs, bucket })) {
    seen.stoppedAs.push(status);
    const folder = layout.modelOutput(partId);
    for await (const { uri } of store.list(`${folder}/`)) {
      const name = uri.slice(uri.lastIndexOf('/') + 1);
      seen.outputFiles.push(name);
      const keys = await keysIn(uri, store);
      (name === 'manifest.json.out' ? seen.manifestKeys : seen.lineKeys).push(...keys);
    }
  }
}

/** Keys of the first lines of an object; never what they hold. */
async function keysIn(uri: `s3://${string}`, store: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  let count = 0;
  for await (const line of linesOf(await store.readStream(uri))) {
    keys.push(...Object.keys(JSON.parse(line.toString())));
    count += 1;
    if (count === LINES) break;
  }
  return keys;
}

async function resume({ quarry }: ProofAccount, _: ProofOptions, seen: Observations): Promise<void> {
  const jobs = new Map<string, string[]>();
  const run = await quarry.resume(RUN_ID, { onProgress: (event) => note(event, jobs) });
  seen.resumed = figuresOf(await run.result);
  seen.statuses.push(...jobs.values());
  seen.brokenFiles = (await quarry.verify(run)).broken.length;
}

function figuresOf({ status, rows, jobs, tokens, cost_usd }: RunSummary): RunFigures {
  return { status, rows: { ...rows }, jobs, tokens: { ...tokens }, cost_usd };
}
