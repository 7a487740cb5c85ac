import { ServiceUnavailableError } from '../../core/errors.ts';
import { clientRequestTokenOf, jobNameOf, jobTagsOf } from '../../core/jobs/job.ts';
import { JobRecord } from '../../core/jobs/job-record.ts';
import { type PollPace, pollPaceOf } from '../../core/jobs/poll-pace.ts';
import type { PartTurn } from '../../core/plan/part.ts';
import { runLayout } from '../../runs/run-layout.ts';
import { readJsonIfPresent, writeJson } from '../../store/json-object.ts';
import type { StepDeps } from '../deps.ts';
import { isCancelled, refuseIfCancelled } from '../run/cancellation.ts';
import { type PlannedRun, readPlan, variantOf } from '../run/read-plan.ts';
import { overBudget } from '../waves/decide-wave.ts';
import { requirePartFiles } from './part-files.ts';
import { findJobOf, findOwnJobOf, foreignJobMessage, jobIdentityOf } from './part-job.ts';
import { sayingWhy } from './part-waiting.ts';

/** What the state machine needs of a job to wait for it. */
export interface SubmittedJob extends PollPace {
  /** Null where there is no job to wait for: Bedrock refused it, or it may not be created any more. */
  job_arn: string | null;
}

/**
 * Creates the part's model invocation job, once: name and token are derived from the part, so that a repeated
 * call finds the job it made before, even where the answer to that call was lost. Once the run has been stopped, or
 * could cost more than it may, no job is created any more; one that exists is adopted all the same. Where it has to be tried
 * again, which may take days, it says why.
 */
export function submit(part: PartTurn, deps: StepDeps): Promise<SubmittedJob> {
  const { part_id: partId, run_uri } = part;
  const uri = runLayout(run_uri).submitWaiting(partId);
  return sayingWhy({ partId, uri }, () => findOrCreateJob(part, deps), deps);
}

async function findOrCreateJob(part: PartTurn, deps: StepDeps): Promise<SubmittedJob> {
  const { store, settings } = deps;
  const run = await readPlan(part.run_uri, deps);
  const { layout } = run;
  const toResult = (job_arn: string | null): SubmittedJob => ({
    job_arn,
    ...pollPaceOf(settings.pollSeconds, deps.clock.now()),
  });
  // Rows of a part whose turn is over belong to a later wave.
  if ((await store.head(layout.ledger(part.part_id))) !== undefined) return toResult(null);
  const known = await readJsonIfPresent(store, layout.job(part.part_id), JobRecord);
  if (known !== undefined && (known.job_arn !== null || known.refusal !== null))
    return toResult(known.job_arn);

  const record: JobRecord = known ?? {
    part_id: part.part_id,
    job_name: jobNameOf(jobIdentityOf(part, run, deps)),
    job_arn: null,
    refusal: null,
    submitted_at: new Date(deps.clock.now()).toISOString(),
  };
  const lost = await findJobIfCancelled(part, run, deps);
  if (lost !== undefined) {
    record.job_arn = lost;
  } else if (await isOver(part, run, deps)) {
    // An attempt was made before, and may have succeeded although its answer was lost.
    const adopted = known === undefined ? undefined : await findOwnJobOf(part, run, deps);
    if (adopted === undefined) return toResult(null);
    record.job_arn = adopted;
  } else {
    await requirePartFiles(part.part_id, ['records'], { layout, store });
    // The intent first, so that a job whose creation is never heard of is looked for.
    if (known === undefined) await writeJson(store, layout.job(part.part_id), record);
    Object.assign(record, await createJob(part, run, deps));
  }
  await writeJson(store, layout.job(part.part_id), record);
  return toResult(record.job_arn);
}

/**
 * In a cancelled run, the ARN of the job that was created although its record was lost: it has to be stopped and collected.
 * Throws RunCancelled where there is none; undefined where the run is not cancelled.
 */
async function findJobIfCancelled(
  part: PartTurn,
  run: PlannedRun,
  deps: StepDeps,
): Promise<string | undefined> {
  if (!(await isCancelled(run.layout, deps.store))) return undefined;
  const jobArn = await findOwnJobOf(part, run, deps);
  if (jobArn === undefined) await refuseIfCancelled(run.layout, deps.store);
  return jobArn;
}

async function isOver(part: PartTurn, { layout, input }: PlannedRun, { store }: StepDeps): Promise<boolean> {
  return overBudget(part, input.max_cost_usd) !== undefined || (await store.head(layout.stop)) !== undefined;
}

async function createJob(
  part: PartTurn,
  run: PlannedRun,
  deps: StepDeps,
): Promise<Pick<JobRecord, 'job_arn' | 'refusal'>> {
  const { layout, plan, input } = run;
  const { model } = variantOf(run, part);
  const identity = jobIdentityOf(part, run, deps);
  const jobName = jobNameOf(identity);
  const result = await deps.bedrock.createJob({
    jobName,
    clientRequestToken: clientRequestTokenOf(identity, deps.hash),
    modelId: model.model_id,
    roleArn: deps.settings.roleArn,
    modelInvocationType: model.invocation_type,
    inputUri: layout.records(part.part_id),
    outputUri: layout.modelOutput(part.part_id),
    timeoutHours: input.timeout_hours,
    tags: jobTagsOf(identity, part.attempt),
  });
  switch (result.kind) {
    case 'created':
      // Named after run id and input alone, as once was usual, it may be another run's, given back for the same token.
      return plan.job_naming === undefined
        ? adopt(await findJobOf(part, run, deps), jobName)
        : { job_arn: result.jobArn, refusal: null };
    case 'name_in_use':
      return adopt(await findJobOf(part, run, deps), jobName);
    case 'refused':
      return { job_arn: null, refusal: result.message };
  }
}

/** The job of that name, where it is the part's own; whose it is else. */
function adopt(
  found: Awaited<ReturnType<typeof findJobOf>>,
  jobName: string,
): Pick<JobRecord, 'job_arn' | 'refusal'> {
  if (found === undefined) {
    throw new ServiceUnavailableError(
      `The job name ${jobName} is in use, but Bedrock does not list that job yet.`,
    );
  }
  return found.kind === 'own'
    ? { job_arn: found.jobArn, refusal: null }
    : { job_arn: null, refusal: foreignJobMessage(found.job) };
}
