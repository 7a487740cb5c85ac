import { z } from 'zod';
import { renderJson } from '../../store/json-document.ts';
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

type Memory = z.infer<typeof Memory>;

/** The rules, with the counts that an earlier emulator left in `path`. */
export async function openFaultInjector(
  path: string,
  { rules, seed, notify }: { rules: FaultRule[]; seed: number; notify: Notify },
): Promise<FaultInjector> {
  const { value, damage } = await readStateFile(path, Memory);
  if (damage !== undefined) {
    notify({
      kind: 'state-damaged',
      message: `${path} could not be read: ${damage}. It held how often each rule of the fault script has applied; ${value === undefined ? 'they are counted from zero' : 'the previous copy is used'}.`,
    });
  }
  return new RememberedFaults({ path, rules, seed }, value ?? { applied: {}, hits: {} });
}

/** The script of an emulator, and the file that its counts are kept in. */
interface Script {
  path: string;
  rules: readonly FaultRule[];
  seed: number;
}

class RememberedFaults implements FaultInjector {
  readonly #script: Script;
  readonly #memory: Memory;
  #isChanged = false;
  #writing = Promise.resolve();

  constructor(script: Script, memory: Memory) {
    this.#script = script;
    this.#memory = memory;
  }

  takeRequestFault(operation: string, subject: FaultSubject): RequestFault | undefined {
    for (const [index, rule] of this.#script.rules.entries()) {
      const { fault } = rule;
      if (!isRequestFault(fault) || !fault.kind.startsWith(`${operation}-`)) continue;
      if (this.#take(index, rule, subject)) return fault;
    }
    return undefined;
  }

  takeJobRules(subject: FaultSubject): number[] {
    return this.#script.rules.flatMap((rule, index) =>
      !isRequestFault(rule.fault) && this.#take(index, rule, subject) ? [index] : [],
    );
  }

  jobFaults<K extends JobFault['kind']>(job: StoredJob, kind: K): Extract<JobFault, { kind: K }>[] {
    return this.#rulesOf(job)
      .map(({ fault }) => fault)
      .filter((fault): fault is Extract<JobFault, { kind: K }> => fault.kind === kind);
  }

  recordFaults(job: StoredJob): ((recordId: string) => RecordFaults) | undefined {
    const choices = this.#rulesOf(job).filter(({ fault }) => RECORD_KINDS.has(fault.kind));
    if (choices.length === 0) return undefined;
    return (recordId) => {
      const found: RecordFaults = { ...NO_FAULTS };
      for (const { index, fault } of choices) {
        applyFault(found, fault, () =>
          this.#isHit(index, fault as RecordChoice, { jobId: job.jobId, recordId }),
        );
      }
      return found;
    };
  }

  save(): Promise<void> {
    if (!this.#isChanged) return this.#writing;
    this.#isChanged = false;
    const text = renderJson(this.#memory);
    this.#writing = this.#writing.catch(() => undefined).then(() => replaceFile(this.#script.path, text));
    return this.#writing;
  }

  /** Counts the rule as applied, where it applies. */
  #take(index: number, rule: FaultRule, subject: FaultSubject): boolean {
    const times = rule.times ?? (isRequestFault(rule.fault) ? 1 : Number.POSITIVE_INFINITY);
    const before = this.#memory.applied[index] ?? 0;
    if (before >= times || !isMet(rule.when, subject)) return false;
    this.#memory.applied[index] = before + 1;
    this.#isChanged = true;
    return true;
  }

  #rulesOf(job: StoredJob): { index: number; fault: JobFault }[] {
    return job.faultRules.flatMap((index) => {
      const fault = this.#script.rules[index]?.fault;
      return fault === undefined || isRequestFault(fault) ? [] : [{ index, fault }];
    });
  }

  #isHit(
    index: number,
    choice: RecordChoice,
    { jobId, recordId }: { jobId: string; recordId: string },
  ): boolean {
    const { recordIds, fraction, firstAttemptOnly } = choice;
    const isChosen =
      recordIds?.includes(recordId) ??
      (fraction === undefined || drawLot(`${this.#script.seed}/${index}/${recordId}`) < fraction);
    if (!isChosen || firstAttemptOnly !== true) return isChosen;
    this.#memory.hits[index] ??= {};
    const hits = this.#memory.hits[index];
    if (hits[recordId] === undefined) {
      hits[recordId] = jobId;
      this.#isChanged = true;
    }
    return hits[recordId] === jobId;
  }
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
