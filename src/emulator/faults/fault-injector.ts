import { z } from 'zod';
import { readStateFile, replaceFile } from '../jobs/state-file.ts';
import type { StoredJob } from '../jobs/stored-job.ts';
import type { Notify } from '../notices.ts';
import { type FaultRule, isRequestFault, type JobFault, type RequestFault } from './faults.ts';
import { drawLot } from './seeded-random.ts';

/** What a rule's condition is held against. */
export interface FaultSubject {
  ordinal: number;
  jobName: string;
  modelId: string;
  tags: readonly { key: string; value: string }[];
}

/** What happens to one record of a job. */
export interface RecordFaults {
  error: { errorCode: number; errorMessage: string } | undefined;
  isMissing: boolean;
  isDuplicated: boolean;
  corruption: 'truncated' | 'lone-surrogate' | 'not-json' | undefined;
  isAwkward: boolean;
  isBroken: boolean;
  hasNulls: boolean;
}

/** Applies a script, and remembers over a restart how often each rule applied. */
export interface FaultInjector {
  /** The first rule that applies to this call, counted as applied. */
  takeRequestFault(
    operation: 'create' | 'get' | 'list' | 'stop' | 'invoke',
    subject: FaultSubject,
  ): RequestFault | undefined;
  /** Indices of the rules that apply to a new job, counted as applied. */
  takeJobRules(subject: FaultSubject): number[];
  /** The faults of a job, of this kind alone. */
  jobFaults<K extends JobFault['kind']>(job: StoredJob, kind: K): Extract<JobFault, { kind: K }>[];
  /** Undefined where no fault of this job can hit a record. */
  recordFaults(job: StoredJob): ((recordId: string) => RecordFaults) | undefined;
  /** Writes what was counted since the last time. */
  save(): Promise<void>;
}

const Memory = z.object({
  applied: z.record(z.string(), z.int()),
  /** By rule and record id, the job in which the record was hit first. */
  hits: z.record(z.string(), z.record(z.string(), z.string())),
});

/** The rules, with the counts that an earlier emulator left in `path`. */
export async function openFaultInjector(
  path: string,
  { rules, seed, notify }: { rules: FaultRule[]; seed: number; notify: Notify },
): Promise<FaultInjector> {
  const { value, damage } = await readStateFile(path, Memory);
  const { applied, hits } = value ?? { applied: {}, hits: {} };
  if (damage !== undefined) {
    notify({
      kind: 'state-damaged',
      message: `${path} could not be read: ${damage}. It held how often each rule of the fault script has applied; ${value === undefined ? 'they are counted from zero' : 'the previous copy is used'}.`,
    });
  }
  let isChanged = false;
  let writing = Promise.resolve();

  const take = (index: number, rule: FaultRule, subject: FaultSubject): boolean => {
    const times = rule.times ?? (isRequestFault(rule.fault) ? 1 : Number.POSITIVE_INFINITY);
    const before = applied[index] ?? 0;
    if (before >= times || !isMet(rule.when, subject)) return false;
    applied[index] = before + 1;
    isChanged = true;
    return true;
  };
  const jobRules = (job: StoredJob) =>
    job.faultRules.flatMap((index) => {
      const fault = rules[index]?.fault;
      return fault === undefined || isRequestFault(fault) ? [] : [{ index, fault }];
    });
  const isHit = (
    index: number,
    fault: RecordChoice,
    { job, recordId }: { job: StoredJob; recordId: string },
  ) => {
    const isChosen =
      fault.recordIds?.includes(recordId) ??
      (fault.fraction === undefined || drawLot(`${seed}/${index}/${recordId}`) < fault.fraction);
    if (!isChosen || fault.firstAttemptOnly !== true) return isChosen;
    hits[index] ??= {};
    const first = hits[index][recordId];
    if (first === undefined) {
      hits[index][recordId] = job.jobId;
      isChanged = true;
    }
    return first === undefined || first === job.jobId;
  };

  return {
    takeRequestFault: (operation, subject) => {
      for (const [index, rule] of rules.entries()) {
        const { fault } = rule;
        if (isRequestFault(fault) && fault.kind.startsWith(`${operation}-`) && take(index, rule, subject))
          return fault;
      }
      return undefined;
    },
    takeJobRules: (subject) =>
      rules.flatMap((rule, index) =>
        !isRequestFault(rule.fault) && take(index, rule, subject) ? [index] : [],
      ),
    jobFaults: <K extends JobFault['kind']>(job: StoredJob, kind: K) =>
      jobRules(job)
        .map(({ fault }) => fault)
        .filter((fault): fault is Extract<JobFault, { kind: K }> => fault.kind === kind),
    recordFaults: (job) => {
      const choices = jobRules(job).filter(({ fault }) => RECORD_KINDS.has(fault.kind));
      if (choices.length === 0) return undefined;
      return (recordId) => {
        const found: RecordFaults = { ...NO_FAULTS };
        for (const { index, fault } of choices)
          applyFault(found, fault, () => isHit(index, fault as RecordChoice, { job, recordId }));
        return found;
      };
    },
    save: () => {
      if (!isChanged) return writing;
      isChanged = false;
      const text = JSON.stringify({ applied, hits });
      writing = writing.catch(() => undefined).then(() => replaceFile(path, text));
      return writing;
    },
  };
}

interface RecordChoice {
  recordIds?: string[] | undefined;
  fraction?: number | undefined;
  firstAttemptOnly?: boolean | undefined;
}

const RECORD_KINDS = new Set<JobFault['kind']>([
  'record-errors',
  'missing-records',
  'duplicate-lines',
  'corrupt-lines',
  'awkward-text',
  'broken-answers',
  'explicit-nulls',
]);

const NO_FAULTS: Readonly<RecordFaults> = {
  error: undefined,
  isMissing: false,
  isDuplicated: false,
  corruption: undefined,
  isAwkward: false,
  isBroken: false,
  hasNulls: false,
};

function applyFault(found: RecordFaults, fault: JobFault, isHit: () => boolean): void {
  switch (fault.kind) {
    case 'record-errors':
      if (isHit()) found.error ??= { errorCode: fault.errorCode, errorMessage: fault.errorMessage };
      return;
    case 'missing-records':
      found.isMissing ||= isHit();
      return;
    case 'duplicate-lines':
      found.isDuplicated ||= isHit();
      return;
    case 'corrupt-lines':
      if (isHit()) found.corruption ??= fault.how;
      return;
    case 'awkward-text':
      found.isAwkward ||= isHit();
      return;
    case 'broken-answers':
      found.isBroken ||= isHit();
      return;
    case 'explicit-nulls':
      found.hasNulls ||= isHit();
      return;
    case 'validation-failed':
    case 'kms-denied':
    case 'job-ended':
    case 'slow-stage':
    case 'manifest-missing':
    case 'manifest-wrong':
    case 'unknown-records':
      return;
  }
}

function isMet(when: FaultRule['when'], subject: FaultSubject): boolean {
  if (when === undefined) return true;
  const { jobs, jobName, modelId, tag } = when;
  return (
    (jobs === undefined || jobs.includes(subject.ordinal)) &&
    (jobName === undefined || new RegExp(jobName).test(subject.jobName)) &&
    (modelId === undefined || new RegExp(modelId).test(subject.modelId)) &&
    (tag === undefined || subject.tags.some(({ key, value }) => key === tag.key && value === tag.value))
  );
}
