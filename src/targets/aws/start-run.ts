import { isDeepStrictEqual } from 'node:util';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { callAws } from '../../bedrock/call-aws.ts';
import { AccessDeniedError, InvalidRunInputError, RunConflictError } from '../../core/errors.ts';
import { RunPlan } from '../../core/plan/run-plan.ts';
import { parseRunInput, type RunInput, variantsOf } from '../../core/run-input/run-input.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { modelBehindOf } from '../../steps/plan/ask-account.ts';
import { listDatasetObjects } from '../../steps/plan/dataset-files.ts';
import { type ModelCall, modelCallOf } from '../../steps/plan/model-call.ts';
import {
  inputHashOf,
  promptsOfRun,
  refuseOtherInput,
  runIdOf,
  withoutLimits,
} from '../../steps/plan/run-identity.ts';
import { readJsonIfPresent } from '../../store/json-object.ts';
import { layoutOf } from '../jobs-of-run.ts';
import type { DeployedTarget } from './deployed-target.ts';
import { requireReady } from './deployment.ts';
import {
  describeExecution,
  type Execution,
  executionNameOf,
  findExecutions,
  isOpen,
  listExecutions,
  parseExecutionName,
} from './executions.ts';

/** An execution that is working on a run. */
export interface StartedRun {
  executionArn: string;
  executionName: string;
  /** Undefined until Plan has named it: only for a Hugging Face dataset without a `run_id`. */
  runId: string | undefined;
  /** True where it was at work already. */
  joined: boolean;
}

/** What a start is given beside its input. */
export interface StartOptions {
  /** Called once the run has its name, if anything but Plan can know it, and before anything is started. */
  onNamed?: ((runId: string | undefined) => Promise<void>) | undefined;
}

/** Bytes of an execution's input. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const MAX_INPUT_BYTES = 262_144;
/** Names that are tried: others may start the same run at this moment. */
const MAX_NAMES = 20;
/** Characters of a name that stands for a whole input. */
const HASH_LENGTH = 10;

/**
 * Starts the run of this input, or joins the execution that is already working on it: there are never two. The
 * dataset is an `s3_uri` or a `dataset_id`; what is wrong with the input is refused here, before anything is started.
 */
export async function startRun(
  document: unknown,
  target: DeployedTarget,
  { onNamed }: StartOptions = {},
): Promise<StartedRun> {
  const { sfn, deployment } = target;
  requireReady(deployment);
  const input = parseRunInput(document);
  const text = JSON.stringify(input);
  if (Buffer.byteLength(text) > MAX_INPUT_BYTES) {
    throw new InvalidRunInputError(
      `The run input has ${Buffer.byteLength(text)} bytes; Step Functions takes ${MAX_INPUT_BYTES} at most. Shorten the prompts.`,
    );
  }
  const runId = await identifyRun(input, target);
  const base = runId ?? nameOfInput(input, target);
  await onNamed?.(runId);

  for (let names = 0; names < MAX_NAMES; names += 1) {
    const executions =
      runId === undefined ? await findByName(base, target) : await findExecutions(runId, target);
    const atWork = executions.find(isOpen);
    if (atWork !== undefined) return join(atWork, { input, runId }, target);
    const used = executions.map(({ name }) => parseExecutionName(name)).filter((name) => name.base === base);
    // A listing lags a little behind: a name that it does not have yet may be taken all the same.
    const attempt = Math.max(0, ...used.map((name) => name.attempt)) + 1 + names;
    const name = executionNameOf(base, attempt);
    const executionArn = await callAws(
      { doing: `start the execution ${name}`, action: 'states:StartExecution' },
      async () => {
        try {
          const answer = await sfn.send(
            new StartExecutionCommand({ stateMachineArn: deployment.stateMachineArn, name, input: text }),
          );
          return answer.executionArn;
        } catch (error) {
          if ((error as Error).name === 'ExecutionAlreadyExists') return undefined;
          throw error;
        }
      },
    );
    if (executionArn !== undefined) return { executionArn, executionName: name, runId, joined: false };
  }
  throw new RunConflictError(
    `Run "${base}" is being started by someone else right now. Wait a moment and try again: you will join their execution.`,
  );
}

async function join(
  { executionArn, name }: Execution,
  { input, runId }: { input: RunInput; runId: string | undefined },
  { sfn }: DeployedTarget,
): Promise<StartedRun> {
  const { run_id: _, ...given } = input;
  const { run_id: __, ...other } = parseRunInput(
    JSON.parse((await describeExecution(sfn, executionArn)).input),
  );
  const keys = [...new Set([...Object.keys(given), ...Object.keys(other)])] as (keyof typeof given)[];
  const changed = keys.filter((key) => !isDeepStrictEqual(given[key], other[key]));
  if (changed.length > 0) {
    throw new RunConflictError(
      `The execution ${name} is working on run "${runId ?? name}" with another input: ${changed.join(', ')} differ. Give another run_id, or the same input to follow it.`,
    );
  }
  return { executionArn, executionName: name, runId, joined: true };
}

/**
 * The id that Plan will give the run; undefined where only Plan can know it. Throws RunConflictError where the id
 * stands for another input already, and what is wrong with the input otherwise.
 */
async function identifyRun(
  input: RunInput,
  { deployment, store, hash, account }: DeployedTarget,
): Promise<string | undefined> {
  const { region } = deployment;
  const calls: { name: string | undefined; call: ModelCall }[] = [];
  for (const { name, input: asked } of variantsOf(input)) {
    const behind = await modelBehindOf(asked, { account, settings: { region } });
    // The functions may be allowed what the caller is not: Plan says what is wrong, if anything is.
    if (behind.notes.length > 0) return input.run_id;
    behind.requireThere();
    const { baseModelId } = behind;
    const known = baseModelId === undefined ? asked : { ...asked, base_model_id: baseModelId };
    calls.push({ name, call: modelCallOf(known, { region }) });
  }
  if (input.s3_uri === undefined) return input.run_id;
  try {
    const { objects: files } = await listDatasetObjects(input.s3_uri as S3Uri, store);
    const { run_id: _, ...rest } = input;
    const inputHash = inputHashOf(rest, promptsOfRun(calls), { source: files, hash });
    const runId = runIdOf(input, inputHash);
    const known = await readJsonIfPresent(store, layoutOf(deployment.bucket, runId).plan, RunPlan);
    if (known !== undefined) refuseOtherInput(known, withoutLimits(rest), inputHash, files);
    return runId;
  } catch (error) {
    if (error instanceof AccessDeniedError) return input.run_id;
    throw error;
  }
}

/** A name for a run whose id is not known yet; not to be taken for an id, which has no `_`. */
function nameOfInput(input: RunInput, { hash }: DeployedTarget): string {
  const digest = hash(JSON.stringify(input));
  return `${runIdOf(input, digest).slice(0, -HASH_LENGTH - 1)}_i${digest.slice(0, HASH_LENGTH)}`;
}

async function findByName(base: string, target: DeployedTarget): Promise<Execution[]> {
  const executions = await listExecutions(target);
  return executions.filter(({ name }) => parseExecutionName(name).base === base);
}
