import type { FailureCounts } from '../run/ledger.ts';
import { UNSENT_ROW_CODES } from './unsent-rows.ts';

/** Which outcomes are tried again. */
export interface RetryPolicy {
  /** How often a record may be sent at most. */
  maxAttempts: number;
  /** Answers cut off at max_tokens too. */
  retryTruncated: boolean;
  /** Answers that the model refused to give, or a filter withheld, too. */
  retryRefused: boolean;
  /** Client errors that are tried again too, once a user has taken the run up. Default nothing. */
  forgiven?: Forgiveness;
}

/** Which client errors are held against a record no more: none, those that were the account's fault, or all. */
export type Forgiveness = 'nothing' | 'account' | 'client';

/** Error code of a record that was not sent because the run had been stopped. */
export const RUN_STOPPED = 'RunStopped';
/** Error code of a record whose answer is not of the schema that was asked for. */
export const SCHEMA_VIOLATION = 'SchemaViolation';
/**
 * Error code of a record whose model refused the field that holds its answer to a schema: nothing was paid, no attempt is
 * used, and the run goes on with the schema told in the prompt.
 */
export const SCHEMA_REFUSED = 'SchemaRefused';
/** Error code of a record whose answer was cut off before it was of the schema; `retry_truncated` sends it again. */
export const TRUNCATED_ANSWER = 'AnswerTruncated';
/** Error code of a record that was not sent because it could have cost more than `max_cost_usd`. */
export const BUDGET_EXCEEDED = 'BudgetExceeded';

/**
 * The HTTP status of each error that Bedrock gives a record by name, as some models and the service itself do.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html#API_runtime_InvokeModel_Errors
 */
const STATUS_OF_NAME: Readonly<Record<string, number>> = {
  AccessDeniedException: 403,
  InternalServerException: 500,
  ModelErrorException: 424,
  ModelNotReadyException: 429,
  ModelStreamErrorException: 424,
  ModelTimeoutException: 408,
  ResourceNotFoundException: 404,
  ServiceQuotaExceededException: 400,
  ServiceUnavailableException: 503,
  ThrottlingException: 429,
  ValidationException: 400,
};

/**
 * HTTP statuses of a record that are worth another try: time-outs, throttles and faults of the model or the service. A
 * bad request stays one.
 */
const RETRYABLE_STATUS_PATTERN = '408|424|429|5[0-9][0-9]';
const RETRYABLE_STATUS = new RegExp(`^(?:${RETRYABLE_STATUS_PATTERN})$`);

/**
 * Error codes by name, in lower case, that say the same the next time. Any other name tells of the job or the service,
 * not of the record: RecordMissing, JobExpired, RunStopped, BedrockThrottledError, …
 */
export const FINAL_ERROR_NAMES: readonly string[] = [
  ...UNSENT_ROW_CODES,
  'UnexpectedModelOutput',
  'UnknownError',
  TRUNCATED_ANSWER,
  ...Object.keys(STATUS_OF_NAME).filter((name) => !RETRYABLE_STATUS.test(String(STATUS_OF_NAME[name]))),
].map((name) => name.toLowerCase());

/** Codes worth another try but for the names that are final, as a regular expression for JavaScript and DuckDB. */
export const RETRYABLE_CODE_PATTERN = `${RETRYABLE_STATUS_PATTERN}|[A-Za-z].*`;

/** Stop reasons of an answer that was cut off, in lower case, over all model families. */
export const TRUNCATED_STOP_REASONS: readonly string[] = [
  'max_tokens',
  'length',
  'model_context_window_exceeded',
];
/** Stop reasons of an answer that was refused or filtered, in lower case, over all model families. */
export const REFUSED_STOP_REASONS: readonly string[] = [
  'refusal',
  'content_filtered',
  'content_filter',
  'guardrail_intervened',
];

const RETRYABLE_CODE = new RegExp(`^(?:${RETRYABLE_CODE_PATTERN})$`, 's');
const STATUSES = new Map(
  Object.entries(STATUS_OF_NAME).map(([name, status]) => [name.toLowerCase(), String(status)]),
);

/** True where a record that ended with this error code may end otherwise the next time. */
export function isRetryableCode(errorCode: string): boolean {
  return RETRYABLE_CODE.test(errorCode) && !FINAL_ERROR_NAMES.includes(errorCode.toLowerCase());
}

/** True where the model said that the record's own content is wrong: a 4xx that the same content gets again. */
export function isClientError(errorCode: string): boolean {
  const status = STATUSES.get(errorCode.toLowerCase()) ?? errorCode;
  return /^4[0-9][0-9]$/.test(status) && !isRetryableCode(errorCode);
}

/** Names of client errors that say the same of every record of the account, in lower case. */
export const ACCOUNT_ERROR_CODES: readonly string[] = [
  '401',
  '402',
  '403',
  'accessdeniedexception',
  'servicequotaexceededexception',
];

/** Names of client errors, in lower case. */
export const CLIENT_ERROR_NAMES: readonly string[] = [...STATUSES]
  .filter(([name, status]) => status.startsWith('4') && FINAL_ERROR_NAMES.includes(name))
  .map(([name]) => name);

/**
 * What a client error says where it is the account's fault and not the record's, as a regular expression for DuckDB, to be
 * matched without regard to case. Once the cause is mended, the same record may succeed.
 */
export const ACCOUNT_FAULT_PATTERN =
  "not authorized|unauthori[sz]ed|access ?denied|permission|forbidden|credit balance|billing|payment|quota|subscri|marketplace|(?:don't|do not) have access|operation not allowed|\\baccount\\b";

/**
 * What a bad request says where the model does not take the field that holds its answer to a schema, as a regular expression
 * for DuckDB, to be matched without regard to case.
 */
export const SCHEMA_REFUSAL_PATTERN =
  'output_?config|output_?format|text_?format|response_?format|json_?schema|structured.?output';
/** Error codes of a bad request, in lower case. */
export const BAD_REQUEST_CODES: readonly string[] = ['400', 'validationexception'];

/** How many of a part's records are owed another attempt under a policy; as it was counted then, where nothing more is known. */
export function owedUnder(
  { owed, failures }: { owed: { records: number }; failures?: readonly FailureCounts[] | undefined },
  { maxAttempts, forgiven = 'nothing' }: Pick<RetryPolicy, 'maxAttempts' | 'forgiven'>,
): number {
  if (failures === undefined) return owed.records;
  return failures
    .filter(({ attempts }) => attempts < maxAttempts)
    .reduce(
      (sum, { retryable, account, client }) =>
        sum + retryable + (forgiven === 'nothing' ? 0 : account) + (forgiven === 'client' ? client : 0),
      0,
    );
}
