import type { EmulatorContext } from '../emulator-context.ts';
import type { RequestFault } from '../faults/faults.ts';
import { alphanumericId } from '../faults/seeded-random.ts';
import type { JobRunner } from '../jobs/job-runner.ts';
import { quotasOf } from '../jobs/quotas.ts';
import { isTerminal, NO_RECORDS, type StoredJob, toJobSummary } from '../jobs/stored-job.ts';
import { type EmulatedModel, findEmulatedModel } from '../models/model-catalog.ts';
import type { ModelServer } from '../models/model-server.ts';
import { Constraints, type StringRule } from './constraints.ts';
import { type CreateRequest, readCreateRequest, readTagKeys, readTags, type Tag } from './create-request.ts';
import { describeProfile } from './inference-profiles.ts';
import { listJobs } from './list-jobs.ts';
import { ServiceError, validationError } from './service-error.ts';

/** What an operation answers: a body, and whether it gets lost on its way. */
export interface OperationResult {
  body: unknown;
  lost?: 'server-error' | 'dropped';
  headers?: Readonly<Record<string, string>>;
}

/** The operations on model invocation jobs. */
export interface ControlPlane {
  /** `server`: who is to answer the job's records. */
  create(body: Record<string, unknown>, server: ModelServer | undefined): Promise<OperationResult>;
  get(jobIdentifier: string): Promise<OperationResult>;
  list(query: URLSearchParams): Promise<OperationResult>;
  stop(jobIdentifier: string): Promise<OperationResult>;
  tag(body: Record<string, unknown>): Promise<OperationResult>;
  untag(body: Record<string, unknown>): Promise<OperationResult>;
  listTags(body: Record<string, unknown>): Promise<OperationResult>;
  /** GetInferenceProfile. */
  profile(identifier: string): Promise<OperationResult>;
}

const JOB_ARN = /^arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:model-invocation-job\/[a-z0-9]{12}$/;
const JOB_IDENTIFIER_RULE: StringRule = {
  max: 1011,
  pattern: /^(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:model-invocation-job\/)?[a-z0-9]{12}$/,
};
const DEFAULT_TIMEOUT_HOURS = 24;
const MAX_TAGS = 200;

/** The operations over a book of jobs. */
export function createControlPlane(context: EmulatorContext, runner: JobRunner): ControlPlane {
  const { book } = context;
  return {
    create: (body, server) => createJob(body, { server, context, runner }),
    get: async (jobIdentifier) => {
      const job = findJob(jobIdentifier, context);
      await takeCallFault('get', job, context);
      return { body: toJobSummary(job) };
    },
    list: async (query) => {
      await takeCallFault('list', undefined, context);
      return { body: listJobs(book.all(), query) };
    },
    stop: async (jobIdentifier) => {
      const job = findJob(jobIdentifier, context);
      await takeCallFault('stop', job, context);
      if (isTerminal(job.status)) {
        throw new ServiceError(
          'ConflictException',
          `The model invocation job cannot be stopped because its status is ${job.status}.`,
        );
      }
      if (job.status !== 'Stopping') await runner.stop(job);
      return { body: {} };
    },
    tag: async (body) => {
      const job = findTagged(body, context);
      job.tags = withTags(job.tags, body.tags);
      await book.save(job);
      return { body: {} };
    },
    untag: async (body) => {
      const job = findTagged(body, context);
      const constraints = new Constraints();
      const keys = readTagKeys(constraints, constraints.present('tagKeys', body.tagKeys));
      constraints.check();
      job.tags = job.tags.filter(({ key }) => !keys.includes(key));
      await book.save(job);
      return { body: {} };
    },
    listTags: async (body) => ({ body: { tags: findTagged(body, context).tags } }),
    profile: async (identifier) => ({ body: describeProfile(identifier, context.account) }),
  };
}

/** CreateModelInvocationJob. */
async function createJob(
  body: Record<string, unknown>,
  {
    server,
    context,
    runner,
  }: { server: ModelServer | undefined; context: EmulatorContext; runner: JobRunner },
): Promise<OperationResult> {
  const { book, faults, account } = context;
  const request = readCreateRequest(body);
  const { jobName, modelId, tags } = request;
  const subject = { ordinal: book.all().length + 1, jobName, modelId, tags };
  const fault = faults.takeRequestFault('create', subject);
  if (fault !== undefined) {
    await faults.save();
    refuseCreate(fault);
  }
  const lost = fault?.kind === 'create-response-lost' ? { lost: fault.how } : {};

  const earlier =
    request.clientRequestToken === undefined ? undefined : book.byToken(request.clientRequestToken);
  if (earlier !== undefined) {
    await book.save(earlier);
    // Its own create may have failed between its writing and its start.
    runner.start(earlier);
    return { body: { jobArn: earlier.jobArn }, ...lost };
  }
  const model = findEmulatedModel(modelId, account);
  if (!model.supportsBatch || model.lacksProfile)
    throw validationError('Batch inference is not supported for the requested model.');
  if (book.byName(jobName) !== undefined) {
    throw new ServiceError('ConflictException', 'The provided job name is currently in use.');
  }
  refuseOverQuota(model, context);

  const job: StoredJob = {
    ...newJob(request, { ordinal: subject.ordinal, modelArn: model.arn, context }),
    ...(server === undefined ? {} : { modelServer: server }),
    faultRules: faults.takeJobRules(subject),
  };
  await book.add(job);
  await faults.save();
  runner.start(job);
  return { body: { jobArn: job.jobArn }, ...lost };
}

/** A job as it is when it is made. */
function newJob(
  request: CreateRequest,
  {
    ordinal,
    modelArn,
    context: { clock, seed, account },
  }: Pick<StoredJob, 'ordinal' | 'modelArn'> & { context: EmulatorContext },
): StoredJob {
  const nowMs = clock.now();
  const jobId = alphanumericId(`${seed}/${ordinal}/${nowMs}/${request.jobName}`, 12);
  const { tags, timeoutDurationInHours, modelInvocationType, clientRequestToken, vpcConfig, ...rest } =
    request;
  return {
    ...rest,
    jobId,
    jobArn: `arn:aws:bedrock:${account.region}:${account.accountId}:model-invocation-job/${jobId}`,
    ordinal,
    modelArn,
    modelInvocationType: modelInvocationType ?? 'InvokeModel',
    timeoutHours: timeoutDurationInHours ?? DEFAULT_TIMEOUT_HOURS,
    tags,
    ...(clientRequestToken === undefined ? {} : { clientRequestToken }),
    ...(vpcConfig === undefined ? {} : { vpcConfig }),
    status: 'Submitted',
    submitTimeMs: nowMs,
    lastModifiedMs: nowMs,
    stageSinceMs: nowMs,
    counts: { ...NO_RECORDS },
    isBilled: false,
    faultRules: [],
  };
}

function refuseOverQuota(
  { baseId }: EmulatedModel,
  { overQuota, quotas, book, account }: EmulatorContext,
): void {
  if (overQuota === 'queue') return;
  const { maxConcurrentJobs } = quotasOf(baseId, quotas);
  const open = book
    .all()
    .filter(
      ({ status, modelId }) => !isTerminal(status) && findEmulatedModel(modelId, account).baseId === baseId,
    );
  if (open.length < maxConcurrentJobs) return;
  throw overQuota === 'reject-quota'
    ? new ServiceError(
        'ServiceQuotaExceededException',
        `Your account has reached the quota of ${maxConcurrentJobs} in-progress and submitted batch inference jobs using the base model ${baseId}.`,
      )
    : new ServiceError('ThrottlingException', 'Too many requests, please wait before trying again.');
}

function findJob(jobIdentifier: string, { book }: EmulatorContext): StoredJob {
  const constraints = new Constraints();
  constraints.string('jobIdentifier', jobIdentifier, JOB_IDENTIFIER_RULE);
  constraints.check();
  const job = book.byId(jobIdentifier.slice(-12));
  if (job === undefined || (jobIdentifier.includes(':') && jobIdentifier !== job.jobArn)) {
    throw new ServiceError(
      'ResourceNotFoundException',
      `Could not find the model invocation job ${jobIdentifier}.`,
    );
  }
  return job;
}

function findTagged(body: Record<string, unknown>, context: EmulatorContext): StoredJob {
  const constraints = new Constraints();
  const arn = constraints.string('resourceARN', body.resourceARN, { min: 20, max: 1011 });
  constraints.check();
  if (!JOB_ARN.test(arn)) {
    throw new ServiceError('ResourceNotFoundException', `Could not find the resource ${arn}.`);
  }
  return findJob(arn, context);
}

/** The tags with those of a request, which replace their like. */
function withTags(before: readonly Tag[], given: unknown): Tag[] {
  const constraints = new Constraints();
  const tags = readTags(constraints, constraints.present('tags', given)) ?? [];
  constraints.check();
  const all = new Map([...before, ...tags].map(({ key, value }) => [key, value]));
  if (all.size > MAX_TAGS) {
    throw new ServiceError('TooManyTagsException', `A resource can have at most ${MAX_TAGS} tags.`);
  }
  return [...all].map(([key, value]) => ({ key, value }));
}

/** Throws what the fault script has for a call. */
async function takeCallFault(
  operation: 'get' | 'list' | 'stop',
  job: StoredJob | undefined,
  { faults }: EmulatorContext,
): Promise<void> {
  const subject = job ?? { ordinal: 0, jobName: '', modelId: '', tags: [] };
  const fault = faults.takeRequestFault(operation, subject);
  if (fault === undefined) return;
  await faults.save();
  if (fault.kind === 'get-server-error') throw serverError(fault.httpStatus);
  throw new ServiceError('ThrottlingException', 'Too many requests, please wait before trying again.');
}

/** The error 500 or 503 of the service. */
export function serverError(httpStatus: 500 | 503): ServiceError {
  return httpStatus === 500
    ? new ServiceError('InternalServerException', 'An internal server error occurred. Try again later.')
    : new ServiceError('ServiceUnavailableException', 'The service is unavailable. Try again later.');
}

function refuseCreate(fault: RequestFault): void {
  switch (fault.kind) {
    case 'create-throttled':
      throw new ServiceError('ThrottlingException', 'Too many requests, please wait before trying again.');
    case 'create-quota-exceeded':
      throw new ServiceError(
        'ServiceQuotaExceededException',
        'Your account has reached the quota of in-progress and submitted batch inference jobs.',
      );
    case 'create-server-error':
      throw serverError(fault.httpStatus);
    case 'create-response-lost':
    case 'get-throttled':
    case 'get-server-error':
    case 'list-throttled':
    case 'stop-throttled':
    case 'invoke-throttled':
    case 'invoke-error':
    case 'invoke-response-lost':
      return;
  }
}
