/**
 * HTTP status of each error that the two services declare.
 * Conflict and quota are 400 here. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html
 */
const HTTP_STATUS = {
  ValidationException: 400,
  ConflictException: 400,
  ServiceQuotaExceededException: 400,
  TooManyTagsException: 400,
  AccessDeniedException: 403,
  ResourceNotFoundException: 404,
  UnknownOperationException: 404,
  ModelTimeoutException: 408,
  RequestEntityTooLargeException: 413,
  ModelErrorException: 424,
  ThrottlingException: 429,
  InternalServerException: 500,
  ServiceUnavailableException: 503,
} as const;

/** Name of an error as `x-amzn-errortype` carries it. */
export type ServiceErrorName = keyof typeof HTTP_STATUS;

/** An answer that is an error of the service, not of the emulator. */
export class ServiceError extends Error {
  readonly errorName: ServiceErrorName;
  readonly httpStatus: number;
  /** Sent beside the usual ones. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(errorName: ServiceErrorName, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.headers = headers;
    this.errorName = errorName;
    this.httpStatus = HTTP_STATUS[errorName];
  }
}

/** A ValidationException with this message. */
export function validationError(message: string): ServiceError {
  return new ServiceError('ValidationException', message);
}
