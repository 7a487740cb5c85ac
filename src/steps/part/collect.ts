import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOfCause } from '../../core/error-cause.ts';
import { LedgerMismatchError, ServiceUnavailableError } from '../../core/errors.ts';
import { outcomeOf } from '../../core/job.ts';
import { JobRecord } from '../../core/job-record.ts';
import { isBalanced, isFinal, PartLedger } from '../../core/ledger.ts';
import { WaveItem } from '../../core/part.ts';
import { BUDGET_EXCEEDED, RUN_STOPPED } from '../../core/retry-policy.ts';
import { RunStop } from '../../core/run-stop.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { sentenceOf } from '../../core/sentence.ts';
import { type CollectRequest, collectPart } from '../../rows/collect/collect-part.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { readJsonIfPresent, writeJson, writeJsonIfAbsent } from '../../store/json-object.ts';
import type { ObjectInfo } from '../../store/object-store.ts';
import type { StepDeps } from '../deps.ts';
import { withLocalFiles } from '../plan/dataset-files.ts';
import { resultColumnsOfRun } from '../plan/result-columns-of-run.ts';
import { retryPolicyOf } from '../run/plan-retry-policy.ts';
import { type PlannedRun, readPlan } from '../run/read-plan.ts';
import { overBudget } from '../waves/decide-wave.ts';
import { faultOfTurn } from '../waves/systematic-fault.ts';
import { readWave } from '../waves/turns.ts';
import { reportFault } from './part-fault.ts';
import { findOwnJobOf, foreignJobMessage, isJobOf } from './part-job.ts';

/** A part whose turn is over, and the fault that kept it from a job, if one did. */
export const CollectInput = z.object({
  part: WaveItem,
  fault: z.object({ Error: z.string(), Cause: z.string().optional() }).optional(),
});
export type CollectInput = z.infer<typeof CollectInput>;

/** What Collect leaves in the state machine: the part's counts. */
export const CollectResult = PartLedger.pick({ part_id: true, rows: true });
export type CollectResult = z.infer<typeof CollectResult>;

/**
 * Joins whatever the part's job left (all, some or nothing) to the part's rows by record id, and writes the
 * result and the part's ledger. Every row ends in it.
 */
export async function collect(input: CollectInput, deps: StepDeps): Promise<CollectResult> {
  const { run_uri, part_id } = input.part;
  const { layout, ...run } = await readPlan(run_uri, deps);
  const done = await readJsonIfPresent(deps.store, layout.ledger(part_id), PartLedger);
  if (done !== undefined) return { part_id, rows: done.rows };
  const scratchDirectory = join(deps.scratchDirectory, run.plan.run_id, `collect-${part_id}`);
  await mkdir(scratchDirectory, { recursive: true });
  try {
    return await collectInto(scratchDirectory, { ...input, run: { layout, ...run } }, deps);
  } catch (error) {
    await reportFault(input.part, error, deps);
    throw error;
  } finally {
    await rm(scratchDirectory, { recursive: true, force: true });
  }
}

async function collectInto(
  scratchDirectory: string,
  { part, fault, run }: CollectInput & { run: PlannedRun },
  deps: StepDeps,
): Promise<CollectResult> {
  const { store } = deps;
  const { layout, input, call } = run;
  const { part_id } = part;
  const isRepair = part.repair;
  const end = await endOf({ part, fault, run }, deps);
  const resultPath = join(scratchDirectory, 'result.parquet');
  const outputs = await modelOutputs(layout.modelOutput(part_id), deps);
  const rowsInfo: ObjectInfo = { uri: layout.rows(part_id), size: 0, etag: '' };
  const { owed, ...collected } = await withLocalFiles([rowsInfo, ...outputs], store, ([rows, ...local]) =>
    collectPart({
      rowsPath: rows?.path ?? '',
      outputPaths: local.map(({ path }) => path),
      // The rows of a repair part are but their record ids.
      columns: resultColumnsOfRun(isRepair ? { output_column: input.output_column } : input, call.adapter),
      retry: retryPolicyOf(run),
      unanswered: end.unanswered,
      resultPath,
      scratchDirectory,
    }),
  );
  if (!isBalanced(collected.rows)) {
    throw new LedgerMismatchError(
      `The ledger of part ${part_id} does not add up: ${JSON.stringify(collected.rows)}.`,
    );
  }
  const ledger: PartLedger = {
    part_id,
    wave: part.wave,
    ...collected,
    job_arn: end.jobArn,
    job_status: end.jobStatus,
    job_message: end.jobMessage,
    job_submitted_at: end.jobSubmittedAt,
    job_ended_at: end.jobEndedAt,
    owed: { records: owed, bytes: Math.ceil((part.bytes * owed) / Math.max(1, part.records)) },
  };
  // Final at once, unless rows of it are sent again or wait for another's answer: then Merge writes the output.
  const isOutput = !isRepair && isFinal(ledger);
  await store.putFile(resultPath, isOutput ? layout.output(part_id) : layout.result(part_id));
  await stopAtFault({ part, ledger }, layout, deps);
  // Written last: a ledger that is there stands for a whole result.
  await writeJson(store, layout.ledger(part_id), ledger);
  return { part_id, rows: collected.rows };
}

/** Stops the run where this turn shows that every other would fail as well, and no answer proves otherwise. */
async function stopAtFault(
  turn: { part: WaveItem; ledger: PartLedger },
  layout: RunLayout,
  deps: StepDeps,
): Promise<void> {
  const fault = faultOfTurn(turn);
  if (fault === undefined) return;
  const { wave } = turn.part;
  for (let other = fault.disprovedBy === 'run' ? 1 : wave; other <= wave; other += 1) {
    const { turns = [] } = (await readWave(other, layout, deps)) ?? {};
    if (turns.some(({ ledger }) => ledger.rows.succeeded > 0)) return;
  }
  const stop: RunStop = { reason: 'systematic_fault', message: fault.message };
  await writeJsonIfAbsent(deps.store, layout.stop, stop);
}

/** How a part's turn ended, and what that says of the records that have no output line. */
interface PartEnd {
  jobArn: string | null;
  jobStatus: string | null;
  jobMessage: string | null;
  jobSubmittedAt: string | null;
  jobEndedAt: string | null;
  unanswered: CollectRequest['unanswered'];
}

/** Where there was no job. */
const NO_JOB = {
  jobArn: null,
  jobStatus: null,
  jobMessage: null,
  jobSubmittedAt: null,
  jobEndedAt: null,
};

async function endOf(
  { part, fault, run }: CollectInput & { run: PlannedRun },
  deps: StepDeps,
): Promise<PartEnd> {
  const { store, bedrock } = deps;
  const { layout, input } = run;
  const record = await readJsonIfPresent(store, layout.job(part.part_id), JobRecord);
  if (record?.refusal) {
    return notSent('JobRefused', sentenceOf(`Bedrock refused the job: ${record.refusal}`));
  }
  // A job may have been made although no answer ever came: its rows must not be sent a second time.
  const jobArn = record && (record.job_arn ?? (await findOwnJobOf(part, run, deps)));
  if (jobArn !== undefined) {
    const job = await bedrock.getJob(jobArn);
    if (!isJobOf(job, { layout, partId: part.part_id })) {
      return notSent('JobOfAnotherRun', foreignJobMessage(job));
    }
    if (outcomeOf(job.status).kind === 'running') {
      throw new ServiceUnavailableError(
        `Job ${job.jobArn} is ${job.status}: its part cannot be collected yet.`,
      );
    }
    const reason = job.message ? `: ${sentenceOf(job.message)}` : '.';
    return {
      jobArn: job.jobArn,
      jobStatus: job.status,
      jobMessage: job.message ?? null,
      jobSubmittedAt: job.submittedAt ?? null,
      jobEndedAt: job.endedAt ?? null,
      unanswered: {
        errorCode: job.status === 'Completed' ? 'RecordMissing' : `Job${job.status}`,
        errorMessage: `The job ended ${job.status} without an answer to this record${reason}`,
        sent: true,
      },
    };
  }
  if (fault !== undefined) return notSent(fault.Error, messageOfCause(fault.Cause) ?? fault.Error);
  const unaffordable = overBudget(part, input.max_cost_usd);
  if (unaffordable !== undefined) return notSent(BUDGET_EXCEEDED, unaffordable);
  const stop = await readJsonIfPresent(store, layout.stop, RunStop);
  if (stop !== undefined)
    return notSent(RUN_STOPPED, `Not sent, because the run was stopped: ${sentenceOf(stop.message)}`);
  return {
    ...NO_JOB,
    unanswered: {
      errorCode: 'RecordMissing',
      errorMessage: 'There is no answer to this record.',
      sent: true,
    },
  };
}

function notSent(errorCode: string, errorMessage: string): PartEnd {
  return {
    ...NO_JOB,
    unanswered: { errorCode, errorMessage, sent: false },
  };
}

/** The `.jsonl.out` files below a part's output; a job manifest also ends in `.out`. */
async function modelOutputs(uri: S3Uri, { store }: StepDeps): Promise<ObjectInfo[]> {
  const outputs: ObjectInfo[] = [];
  for await (const info of store.list(`${uri}/`)) {
    if (info.uri.endsWith('.jsonl.out')) outputs.push(info);
  }
  return outputs;
}
