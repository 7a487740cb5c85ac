import { accessFailureText, isAccessFailure } from '../../core/jobs/job-failure.ts';
import { BUDGET_EXCEEDED, isClientError, SCHEMA_REFUSED } from '../../core/jobs/retry-policy.ts';
import { UNSENT_ROW_CODES } from '../../core/jobs/unsent-rows.ts';
import type { WaveItem } from '../../core/plan/part.ts';
import { answeredHere, type PartLedger, type Reason } from '../../core/run/ledger.ts';
import { sentenceOf } from '../../core/text/sentence.ts';
import type { Turn } from './turns.ts';

/** Error codes of records whose job ended for want of time or by hand: nothing is wrong with them. */
const UNFINISHED_CODES: readonly string[] = [
  'RecordMissing',
  'JobExpired',
  'JobStopped',
  'JobPartiallyCompleted',
  ...UNSENT_ROW_CODES,
  BUDGET_EXCEEDED,
  SCHEMA_REFUSED,
];
/** Error codes of rows that were not sent, as Bedrock did not let them. */
const REFUSALS = ['JobRefused', 'AccessDeniedError', 'CredentialsError'];
/** A part of this many records proves nothing alone. */
const FEW_RECORDS = 1;

/** A fault that every other part would meet as well, unless an answer proves otherwise. */
export interface TurnFault {
  message: string;
  /** Whose answers would prove otherwise: those of the same wave, since rights change, or of the whole run. */
  disprovedBy: 'wave' | 'run';
}

/** A part's turn as the step that ends it knows it. */
export interface PartEnd {
  part: WaveItem;
  ledger: PartLedger;
}

/**
 * Why a part's turn means that every other part would fail as well: Bedrock refused the job, the role lacks a right,
 * or every record got the same client error. Undefined where it does not.
 */
export function faultOfTurn({ part, ledger }: PartEnd): TurnFault | undefined {
  const reason = mainReason(ledger.reasons);
  if (reason === undefined || answeredHere(ledger.rows) > 0) return undefined;
  const { error_code, example_message } = reason;
  if (REFUSALS.includes(error_code)) return { message: sentenceOf(example_message), disprovedBy: 'wave' };
  if (ledger.job_status === 'Failed' && isAccessFailure(ledger.job_message ?? '')) {
    const message = `The job of part ${part.part_id} failed: ${accessFailureText(ledger.job_message ?? '')}`;
    return { message, disprovedBy: 'wave' };
  }
  if (!part.repair && part.records > FEW_RECORDS && hasOneClientError({ part, ledger })) {
    const message = `Each of the ${part.records} records of part ${part.part_id} got error ${error_code}: ${sentenceOf(example_message)}`;
    return { message, disprovedBy: 'run' };
  }
  return undefined;
}

/**
 * Why the run must not go on after a wave: none of its parts could be sent, or its jobs failed alike, with the same
 * message. One job alone is given a second chance.
 */
export function faultOfWave(turns: readonly Turn[], before: readonly Turn[]): string | undefined {
  const active = turns.filter(({ part }) => part.mode !== 'none');
  const [first] = active;
  if (first === undefined) return undefined;
  const reason = mainReason(first.ledger.reasons);
  if (reason !== undefined && active.every(isUnsent)) {
    return `No part of wave ${first.part.wave} could be sent: ${sentenceOf(reason.example_message)}`;
  }
  const signature = failureSignature(first);
  const alike = (others: readonly Turn[]) => others.every((turn) => failureSignature(turn) === signature);
  if (signature === undefined || !alike(active)) return undefined;
  const earlier = before.filter(({ part }) => part.mode !== 'none');
  const jobs = active.length + (alike(earlier) ? earlier.length : 0);
  if (jobs < 2) return undefined;
  return `${jobs} jobs failed alike, and none succeeded: ${sentenceOf(first.ledger.job_message ?? 'Bedrock gave no reason.')}`;
}

/** So many waves at least that did nothing are no accident any more. */
const MIN_IDLE_WAVES = 2;

/**
 * Why a run must not go on: its last waves, the latest first, were as many as a record has attempts, and none of their jobs
 * processed a single one. Their records keep their attempts, so that only this ends the run.
 */
export function faultOfIdleWaves(
  waves: readonly (readonly Turn[])[],
  maxAttempts: number,
): string | undefined {
  const most = Math.max(MIN_IDLE_WAVES, maxAttempts);
  const last = waves.slice(0, most);
  if (last.length < most || !last.every(isIdle)) return undefined;
  const active = last.flat().filter(({ part }) => part.mode !== 'none');
  const reason = mainReason(active.flatMap(({ ledger }) => ledger.reasons));
  return `The jobs of the last ${most} waves ended without processing a record: ${sentenceOf(reason?.example_message ?? 'Bedrock gave no reason.')} No attempt of a record was used up.`;
}

/** True where a wave had something to do, and did nothing of it. */
function isIdle(turns: readonly Turn[]): boolean {
  const active = turns.filter(({ part }) => part.mode !== 'none');
  return active.length > 0 && active.every(({ ledger }) => ledger.tried === 0);
}

/** Why a run must not go on after its pilot, the first part alone: over half of the records failed. */
export function faultOfPilot({ part, ledger }: Turn): string | undefined {
  const failures = ledger.reasons.filter(({ error_code }) => !UNFINISHED_CODES.includes(error_code));
  const failed = failures.reduce((sum, { rows }) => sum + rows, 0);
  if (failed * 2 <= part.records) return undefined;
  const grouped = failures.map(
    ({ error_code, rows, example_message }) => `${rows} with ${error_code} (${example_message})`,
  );
  return `${failed} of the ${part.records} records of the pilot failed: ${grouped.join('; ')}. The other parts were not sent. With pilot set to false (--no-pilot) they are.`;
}

/** The most frequent reason that is not the rows' own. */
function mainReason(reasons: readonly Reason[]): Reason | undefined {
  return reasons.find(({ error_code }) => !UNSENT_ROW_CODES.includes(error_code));
}

function hasOneClientError({ part, ledger }: PartEnd): boolean {
  const reason = mainReason(ledger.reasons);
  return reason !== undefined && reason.rows === part.records && isClientError(reason.error_code);
}

/** True where nothing of a part went to Bedrock, and not for want of money. */
function isUnsent({ part, ledger }: Turn): boolean {
  return (
    part.records > 0 &&
    ledger.job_arn === null &&
    (ledger.tried === undefined ? ledger.rows.not_sent === ledger.rows.total : ledger.tried === 0) &&
    ledger.reasons.every(({ error_code }) => error_code !== BUDGET_EXCEEDED)
  );
}

/** What two jobs that failed for the same reason have in common; undefined for any other end. */
function failureSignature({ ledger }: Turn): string | undefined {
  if (ledger.job_status !== 'Failed' || answeredHere(ledger.rows) > 0 || isSchemaRefused(ledger))
    return undefined;
  // Parts are told apart by their keys and numbers.
  return `failed: ${(ledger.job_message ?? '').replace(/\S*\/\S*|\S*\d\S*/g, '#')}`;
}

/** True where the model refused the field that holds answers to a schema: records are sent in another form then. */
export function isSchemaRefused({ reasons }: Pick<PartLedger, 'reasons'>): boolean {
  return reasons.some(({ error_code }) => error_code === SCHEMA_REFUSED);
}
