import { type EmulatedStatus, JOB_STATUSES, type StoredJob, toJobSummary } from '../jobs/stored-job.ts';
import { Constraints } from './constraints.ts';
import { JOB_NAME_RULE } from './create-request.ts';
import { validationError } from './service-error.ts';

const DEFAULT_PAGE_SIZE = 100;

/** The answer of ListModelInvocationJobs: one page of the jobs that the query asks for. */
export function listJobs(jobs: readonly StoredJob[], query: URLSearchParams): Record<string, unknown> {
  const constraints = new Constraints();
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
