import { z } from 'zod';
import type { JobDescription } from '../../bedrock/bedrock.ts';
import { messageOfCause } from '../../core/error-cause.ts';
import { OutputNotReadyError, ServiceUnavailableError, UnreadableOutputError } from '../../core/errors.ts';
import { outcomeOf } from '../../core/jobs/job.ts';
import { type FoundOutput, judgeOutput, OUTPUT_PATIENCE_MS } from '../../core/jobs/job-output.ts';
import { JobRecord } from '../../core/jobs/job-record.ts';
import { BUDGET_EXCEEDED, RUN_STOPPED } from '../../core/jobs/retry-policy.ts';
import type { WaveItem } from '../../core/plan/part.ts';
import type { PartLedger } from '../../core/run/ledger.ts';
import { RunResumed, RunStop } from '../../core/run/run-stop.ts';
import { sentenceOf } from '../../core/text/sentence.ts';
import type { Unanswered } from '../../rows/collect/write-result.ts';
import { readJsonIfPresent } from '../../store/json-object.ts';
import type { StepDeps } from '../deps.ts';
import type { PlannedRun } from '../run/read-plan.ts';
import { overBudget } from '../waves/decide-wave.ts';
import { type JobFiles, readJobFiles } from './job-files.ts';
import { findOwnJobOf, foreignJobMessage, isJobOf } from './part-job.ts';

/** The fault that kept a part from a job, as the state machine passes it on. */
export const TurnFault = z.object({ Error: z.string(), Cause: z.string().optional() });
export type TurnFault = z.infer<typeof TurnFault>;

/** How a part's turn ended, what it left, and what that says of the records that have no output line. */
export interface PartEnd {
  job: Pick<PartLedger, 'job_arn' | 'job_status' | 'job_message' | 'job_submitted_at' | 'job_ended_at'>;
  files: JobFiles;
  unanswered: (found: FoundOutput) => Unanswered;
}

/** A part whose turn is over. */
interface EndedTurn {
  part: WaveItem;
  fault: TurnFault | undefined;
  run: PlannedRun;
}

/** Where there was no job. */
const NO_JOB: PartEnd['job'] = {
  job_arn: null,
  job_status: null,
  job_message: null,
  job_submitted_at: null,
  job_ended_at: null,
};

/** Finds out how a part's turn ended; throws ServiceUnavailableError while its job is under way. */
export async function endOfPart(turn: EndedTurn, deps: StepDeps): Promise<PartEnd> {
  const { part, run } = turn;
  const { layout } = run;
  const record = await readJsonIfPresent(deps.store, layout.job(part.part_id), JobRecord);
  const outputUri = layout.modelOutput(part.part_id);
  if (record?.refusal) {
    const message = sentenceOf(`Bedrock refused the job: ${record.refusal}`);
    return withoutJob(notSent('JobRefused', message), { outputs: [], manifest: undefined });
  }
  // A job may have been made although no answer ever came: its rows must not be sent a second time.
  const jobArn = record && (record.job_arn ?? (await findOwnJobOf(part, run, deps)));
  if (jobArn === undefined) {
    const files = await readJobFiles({ outputUri, jobArn: null }, deps.store);
    return withoutJob(await whyUnanswered(turn, deps), files);
  }
  const job = await deps.bedrock.getJob(jobArn);
  if (!isJobOf(job, { layout, partId: part.part_id })) {
    const unanswered = notSent('JobOfAnotherRun', foreignJobMessage(job));
    return withoutJob(unanswered, { outputs: [], manifest: undefined });
  }
  if (outcomeOf(job.status).kind === 'running') {
    throw new ServiceUnavailableError(
      `Job ${job.jobArn} is ${job.status}: its part cannot be collected yet.`,
    );
  }
  const files = await readJobFiles({ outputUri, jobArn: job.jobArn }, deps.store);
  const resumed = await readJsonIfPresent(deps.store, layout.resumed, RunResumed);
  const isGivenUp = resumed?.given_up?.includes(part.part_id) ?? false;
  return {
    job: {
      job_arn: job.jobArn,
      job_status: job.status,
      job_message: job.message ?? null,
      job_submitted_at: job.submittedAt ?? null,
      job_ended_at: job.endedAt ?? null,
    },
    files,
    unanswered: (found) => afterJob(found, { job, files, part, isGivenUp, nowMs: deps.clock.now() }),
  };
}

interface EndedJob {
  job: JobDescription;
  files: JobFiles;
  part: WaveItem;
  /** True where the user has given up answers that cannot be read. */
  isGivenUp: boolean;
  nowMs: number;
}

/** What becomes of a record without a line, once the job's output is all that there will be; throws where it is not. */
function afterJob(found: FoundOutput, ended: EndedJob): Unanswered {
  const { job, files, part, isGivenUp } = ended;
  const { kind, processed, wasTried } = judgeOutput(found, {
    status: job.status,
    records: part.records,
    processed: [job.processedRecords, files.manifest?.processedRecordCount],
  });
  if (kind === 'missing' && !isGivenUp) throw missingOutputError(found, processed ?? 0, ended);
  const reason = job.message ? `: ${sentenceOf(job.message)}` : '.';
  const sent = wasTried || kind === 'missing';
  return {
    errorCode: job.status === 'Completed' ? 'RecordMissing' : `Job${job.status}`,
    errorMessage: sent
      ? `The job ended ${job.status} without an answer to this record${reason}`
      : `The job ended ${job.status} before it reached this record${reason}`,
    sent,
  };
}

function missingOutputError(
  { answered }: FoundOutput,
  processed: number,
  { job, files, nowMs }: EndedJob,
): OutputNotReadyError | UnreadableOutputError {
  const expected = `${job.outputUri.replace(/\/+$/, '')}/${job.jobArn.split('/').at(-1)}/${job.inputUri.split('/').at(-1)}.out`;
  const uris = files.outputs.length === 0 ? [expected] : files.outputs.map(({ uri }) => uri);
  const message = `The job ${job.jobArn} processed ${processed} records, but ${answered} of them have an answer that can be read in ${uris.join(', ')}.`;
  // Without the time of its end it may have ended just now.
  const ageMs = job.endedAt === undefined ? 0 : nowMs - Date.parse(job.endedAt);
  return ageMs < OUTPUT_PATIENCE_MS
    ? new OutputNotReadyError(`${message} It is waited for.`)
    : new UnreadableOutputError(message);
}

function withoutJob(unanswered: Unanswered, files: JobFiles): PartEnd {
  return { job: NO_JOB, files, unanswered: () => unanswered };
}

/** Why the records of a part without a job have no answer. */
async function whyUnanswered({ part, fault, run }: EndedTurn, { store }: StepDeps): Promise<Unanswered> {
  const { layout, input } = run;
  if (fault !== undefined) return notSent(fault.Error, messageOfCause(fault.Cause) ?? fault.Error);
  const unaffordable = overBudget(part, input.max_cost_usd);
  if (unaffordable !== undefined) return notSent(BUDGET_EXCEEDED, unaffordable);
  const stop = await readJsonIfPresent(store, layout.stop, RunStop);
  if (stop !== undefined) {
    return notSent(RUN_STOPPED, `Not sent, because the run was stopped: ${sentenceOf(stop.message)}`);
  }
  return { errorCode: 'RecordMissing', errorMessage: 'There is no answer to this record.', sent: true };
}

function notSent(errorCode: string, errorMessage: string): Unanswered {
  return { errorCode, errorMessage, sent: false };
}
