/** Which outcomes are tried again. */
export interface RetryPolicy {
  /** How often a record may be sent at most. */
  maxAttempts: number;
  /** Answers cut off at max_tokens too. */
  retryTruncated: boolean;
  /** Answers that the model refused to give, or a filter withheld, too. */
  retryRefused: boolean;
}

/** Error code of a row that waits for the answer of an identical request; Merge gives it that answer. */
export const DUPLICATE_REQUEST = 'DuplicateRequest';
/** Error code of a record that was not sent because the run had been stopped. */
export const RUN_STOPPED = 'RunStopped';
/** Error code of a record that was not sent because it could have cost more than `max_cost_usd`. */
export const BUDGET_EXCEEDED = 'BudgetExceeded';

/**
 * Error codes by name that say the same the next time. Any other name tells of the job or the service, not of the
 * record: RecordMissing, JobExpired, RunStopped, BedrockThrottledError, …
 */
export const FINAL_ERROR_NAMES: readonly string[] = [
  'NullPromptValue',
  'UnexpectedModelOutput',
  'UnknownError',
  DUPLICATE_REQUEST,
];

/**
 * Codes worth another try, as a regular expression for JavaScript and DuckDB: of the HTTP statuses that Bedrock gives
 * a record only time-outs, throttles and faults of the service, since a bad request stays one.
 */
export const RETRYABLE_CODE_PATTERN = '408|429|5[0-9][0-9]|[A-Za-z].*';

/** Stop reasons of an answer that was cut off, in lower case, over all model families. */
export const TRUNCATED_STOP_REASONS: readonly string[] = ['max_tokens', 'length'];
/** Stop reasons of an answer that was refused or filtered, in lower case, over all model families. */
export const REFUSED_STOP_REASONS: readonly string[] = [
  'refusal',
  'content_filtered',
  'content_filter',
  'guardrail_intervened',
];

const RETRYABLE_CODE = new RegExp(`^(?:${RETRYABLE_CODE_PATTERN})$`, 's');

/** True where a record that ended with this error code may end otherwise the next time. */
export function isRetryableCode(errorCode: string): boolean {
  return RETRYABLE_CODE.test(errorCode) && !FINAL_ERROR_NAMES.includes(errorCode);
}

/** True where the model said that the record's own content is wrong: a 4xx that the same content gets again. */
export function isClientError(errorCode: string): boolean {
  return /^4[0-9][0-9]$/.test(errorCode) && !isRetryableCode(errorCode);
}
