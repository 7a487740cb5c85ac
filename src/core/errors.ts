import { publicText, wholeText } from './text/private-text.ts';

/**
 * The errors of a broken run. A bad record is data and a bad job is an outcome: neither is thrown.
 *
 * `name` is public API: Step Functions matches it in `ErrorEquals`. It is a literal, because bundlers rename
 * classes.
 */
export abstract class QuarryError extends Error {
  abstract override readonly name: string;
  /** True where the same call may succeed later; the state machine's Retry is built from these. */
  readonly retryable: boolean = false;
  /** The message without what `privately` marks: nothing in it is a dataset's text, so that logs may have it. */
  readonly publicMessage: string;

  constructor(message = '', options?: ErrorOptions) {
    super(wholeText(message), options);
    this.publicMessage = publicText(message);
  }
}

/** The run input, or what it names, cannot be run as it is. Nothing was spent. */
export class InvalidRunInputError extends QuarryError {
  override readonly name = 'InvalidRunInputError';
}

/** The dataset cannot be read as what it says it is. Nothing was spent. */
export class InvalidDatasetError extends QuarryError {
  override readonly name = 'InvalidDatasetError';
}

/** An object that a step needs is not in the store. */
export class ObjectNotFoundError extends QuarryError {
  override readonly name = 'ObjectNotFoundError';
}

/** The same `run_id` was used before, with another input. */
export class RunConflictError extends QuarryError {
  override readonly name = 'RunConflictError';
}

/** Bedrock has no free job slot for this model; the same call works once a job has ended. */
export class JobQuotaExceededError extends QuarryError {
  override readonly name = 'JobQuotaExceededError';
  override readonly retryable = true;
}

/** Bedrock asked to slow down. */
export class BedrockThrottledError extends QuarryError {
  override readonly name = 'BedrockThrottledError';
  override readonly retryable = true;
}

/** Bedrock, S3 or the network did not answer properly; the same call may succeed later. */
export class ServiceUnavailableError extends QuarryError {
  override readonly name = 'ServiceUnavailableError';
  override readonly retryable = true;
}

/** A job's output is not all there yet, although the job has ended; the same call may succeed in a while. */
export class OutputNotReadyError extends QuarryError {
  override readonly name = 'OutputNotReadyError';
  override readonly retryable = true;
}

/** Answers that a job was paid for are missing from its output, or cannot be read. Nothing more is sent until they can. */
export class UnreadableOutputError extends QuarryError {
  override readonly name = 'UnreadableOutputError';
}

/** AWS does not know who calls: credentials are missing, expired or not accepted. The run goes on where it stands once they are. */
export class CredentialsError extends QuarryError {
  override readonly name = 'CredentialsError';
}

/** Role or policy do not allow the call. */
export class AccessDeniedError extends QuarryError {
  override readonly name = 'AccessDeniedError';
}

/** Rows out are not rows in, or the ledger does not add up: a bug, or a file changed by somebody else. */
export class LedgerMismatchError extends QuarryError {
  override readonly name = 'LedgerMismatchError';
}

/** What went wrong would go wrong for every job: the run was stopped, and keeps what it has. */
export class SystematicFaultError extends QuarryError {
  override readonly name = 'SystematicFaultError';
}

/** Another process is working on the run. */
export class RunBusyError extends QuarryError {
  override readonly name = 'RunBusyError';
}

/** The run was cancelled: a part that was not sent is not sent any more. Its name is the error code of its rows. */
export class RunCancelled extends QuarryError {
  override readonly name = 'RunCancelled';
}

/** A file that Quarry wrote cannot be read any more: cut off, emptied, changed, or of another version. */
export class DamagedFileError extends QuarryError {
  override readonly name = 'DamagedFileError';
}

/** There is no space left on the disk; the run goes on where it stands once there is. */
export class DiskFullError extends QuarryError {
  override readonly name = 'DiskFullError';
}

/** What is deployed on AWS is not there, not ready, or of a version that does not go with this one. */
export class DeploymentError extends QuarryError {
  override readonly name = 'DeploymentError';
}

/** Something that this version does not do yet. */
export class NotSupportedError extends QuarryError {
  override readonly name = 'NotSupportedError';
}

/** Name of the error that is waited out, for `ErrorEquals`: minutes, with growing patience. */
export const OUTPUT_NOT_READY = new OutputNotReadyError().name;

/** Names of all other errors that are worth trying again, for `ErrorEquals`. */
export const RETRYABLE_ERROR_NAMES = [
  new JobQuotaExceededError().name,
  new BedrockThrottledError().name,
  new ServiceUnavailableError().name,
] as const;
