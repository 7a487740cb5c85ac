import type { EmulatorContext } from '../emulator-context.ts';
import type { RequestFault } from '../faults/faults.ts';
import { alphanumericId } from '../faults/seeded-random.ts';
import type { JobRunner } from '../jobs/job-runner.ts';
import { quotasOf } from '../jobs/quotas.ts';
import {
  type EmulatedStatus,
  isTerminal,
  JOB_STATUSES,
  NO_RECORDS,
  type StoredJob,
  toJobSummary,
} from '../jobs/stored-job.ts';
import { type EmulatedModel, findEmulatedModel } from '../models/model-catalog.ts';
import type { ModelServer } from '../models/model-server.ts';
import { createConstraints, type StringRule } from './constraints.ts';
import { JOB_NAME_RULE, readCreateRequest, readTagKeys, readTags } from './create-request.ts';
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
}

const JOB_ARN = /^arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:model-invocation-job\/[a-z0-9]{12}$/;
const JOB_IDENTIFIER_RULE: StringRule = {
  max: 1011,
  pattern: /^(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:model-invocation-job\/)?[a-z0-9]{12}$/,
};
const DEFAULT_TIMEOUT_HOURS = 24;
const DEFAULT_PAGE_SIZE = 100;
const MAX_TAGS = 200;

/** The operations over a book of jobs. */
export function createControlPlane(context: EmulatorContext, runner: JobRunner): ControlPlane {
  const { book, faults, clock, account } = context;

  const create: ControlPlane['create'] = async (body, server) => {
    const request = readCreateRequest(body);
    const ordinal = book.all().length + 1;
    const subject = { ordinal, jobName: request.jobName, modelId: request.modelId, tags: request.tags };
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
    const model = findEmulatedModel(request.modelId, account);
    if (!model.supportsBatch || model.lacksProfile)
      throw validationError('Batch inference is not supported for the requested model.');
    if (book.byName(request.jobName) !== undefined) {
      throw new ServiceError('ConflictException', 'The provided job name is currently in use.');
    }
    refuseOverQuota(model);

    const nowMs = clock.now();
    const jobId = alphanumericId(`${context.seed}/${ordinal}/${nowMs}/${request.jobName}`, 12);
    const { tags, timeoutDurationInHours, modelInvocationType, clientRequestToken, vpcConfig, ...rest } =
      request;
    const job: StoredJob = {
      ...rest,
      jobId,
      jobArn: `arn:aws:bedrock:${account.region}:${account.accountId}:model-invocation-job/${jobId}`,
      ordinal,
      modelArn: model.arn,
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
      ...(server === undefined ? {} : { modelServer: server }),
      faultRules: faults.takeJobRules(subject),
    };
    await book.add(job);
    await faults.save();
    runner.start(job);
    return { body: { jobArn: job.jobArn }, ...lost };
  };

  const refuseOverQuota = (model: EmulatedModel) => {
    if (context.overQuota === 'queue') return;
    const { maxConcurrentJobs } = quotasOf(model.baseId, context.quotas);
    const open = book
      .all()
      .filter(
        (job) => !isTerminal(job.status) && findEmulatedModel(job.modelId, account).baseId === model.baseId,
      ).length;
    if (open < maxConcurrentJobs) return;
    throw context.overQuota === 'reject-quota'
      ? new ServiceError(
          'ServiceQuotaExceededException',
          `Your account has reached the quota of ${maxConcurrentJobs} in-progress and submitted batch inference jobs using the base model ${model.baseId}.`,
        )
      : new ServiceError('ThrottlingException', 'Too many requests, please wait before trying again.');
  };

  const findJob = (jobIdentifier: string): StoredJob => {
    const constraints = createConstraints();
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
  };
  const findTagged = (body: Record<string, unknown>): StoredJob => {
    const constraints = createConstraints();
    const arn = constraints.string('resourceARN', body.resourceARN, { min: 20, max: 1011 });
    constraints.check();
    if (!JOB_ARN.test(arn)) {
      throw new ServiceError('ResourceNotFoundException', `Could not find the resource ${arn}.`);
    }
    return findJob(arn);
  };
  const callFault = async (operation: 'get' | 'list' | 'stop', job: StoredJob | undefined) => {
    const subject = job ?? { ordinal: 0, jobName: '', modelId: '', tags: [] };
    const fault = faults.takeRequestFault(operation, subject);
    if (fault === undefined) return;
    await faults.save();
    if (fault.kind === 'get-server-error') throw serverError(fault.httpStatus);
    throw new ServiceError('ThrottlingException', 'Too many requests, please wait before trying again.');
  };

  return {
    create,
    get: async (jobIdentifier) => {
      const job = findJob(jobIdentifier);
      await callFault('get', job);
      return { body: toJobSummary(job) };
    },
    list: async (query) => {
      await callFault('list', undefined);
      return { body: listJobs(book.all(), query) };
    },
    stop: async (jobIdentifier) => {
      const job = findJob(jobIdentifier);
      await callFault('stop', job);
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
      const job = findTagged(body);
      const constraints = createConstraints();
      const tags = readTags(constraints, constraints.present('tags', body.tags)) ?? [];
      constraints.check();
      const all = new Map([...job.tags, ...tags].map(({ key, value }) => [key, value]));
      if (all.size > MAX_TAGS) {
        throw new ServiceError('TooManyTagsException', `A resource can have at most ${MAX_TAGS} tags.`);
      }
      job.tags = [...all].map(([key, value]) => ({ key, value }));
      await book.save(job);
      return { body: {} };
    },
    untag: async (body) => {
      const job = findTagged(body);
      const constraints = createConstraints();
      const keys = readTagKeys(constraints, constraints.present('tagKeys', body.tagKeys));
      constraints.check();
      job.tags = job.tags.filter(({ key }) => !keys.includes(key));
      await book.save(job);
      return { body: {} };
    },
    listTags: async (body) => ({ body: { tags: findTagged(body).tags } }),
  };
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

function listJobs(jobs: readonly StoredJob[], query: URLSearchParams): Record<string, unknown> {
  const constraints = createConstraints();
  const get = (name: string) => query.get(name) ?? undefined;
  const afterMs = constraints.optionalTime('submitTimeAfter', get('submitTimeAfter'));
  const beforeMs = constraints.optionalTime('submitTimeBefore', get('submitTimeBefore'));
  const status = constraints.optionalString('statusEquals', get('statusEquals'), { values: JOB_STATUSES });
  const name = constraints.optionalString('nameContains', get('nameContains'), JOB_NAME_RULE);
  const pageSize = constraints.optionalInteger('maxResults', get('maxResults'), { min: 1, max: 1000 });
  const token = constraints.optionalString('nextToken', get('nextToken'), {
    min: 1,
    max: 2048,
    pattern: /^\S*$/,
  });
  constraints.optionalString('sortBy', get('sortBy'), { values: ['CreationTime'] });
  const order = constraints.optionalString('sortOrder', get('sortOrder'), {
    values: ['Ascending', 'Descending'],
  });
  constraints.check();

  const isAscending = order === 'Ascending';
  const lastOrdinal = token === undefined ? undefined : readToken(token);
  const found = jobs
    .filter(
      (job) =>
        (afterMs === undefined || job.submitTimeMs > afterMs) &&
        (beforeMs === undefined || job.submitTimeMs < beforeMs) &&
        (status === undefined || job.status === (status as EmulatedStatus)) &&
        (name === undefined || job.jobName.includes(name)) &&
        (lastOrdinal === undefined || (isAscending ? job.ordinal > lastOrdinal : job.ordinal < lastOrdinal)),
    )
    .sort((a, b) => (isAscending ? a.ordinal - b.ordinal : b.ordinal - a.ordinal));
  const page = found.slice(0, pageSize ?? DEFAULT_PAGE_SIZE);
  const last = page.at(-1);
  return {
    invocationJobSummaries: page.map(toJobSummary),
    nextToken: last !== undefined && found.length > page.length ? writeToken(last.ordinal) : undefined,
  };
}

function writeToken(ordinal: number): string {
  return Buffer.from(`job-${ordinal}`).toString('base64url');
}

function readToken(token: string): number {
  const match = /^job-(\d+)$/.exec(Buffer.from(token, 'base64url').toString());
  if (match === null) throw validationError('The provided pagination token is invalid.');
  return Number(match[1]);
}
