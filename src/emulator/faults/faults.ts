import { z } from 'zod';
import { createRandom, type Random, shuffle } from './seeded-random.ts';

const Fraction = z.number().min(0).max(1);
const Count = z.int().min(1);

/** Which records of a job a fault hits: these ids, or this part of them all, drawn by record id. */
const RecordChoice = {
  recordIds: z.array(z.string()).optional(),
  fraction: Fraction.optional(),
  /** True: a record is hit in the first job that it is in, and spared in later ones. */
  firstAttemptOnly: z.boolean().optional(),
};

/** A fault of one API call. */
const RequestFault = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('create-throttled') }),
  z.strictObject({ kind: z.literal('create-quota-exceeded') }),
  /** Answered with this status, and no job was made. */
  z.strictObject({ kind: z.literal('create-server-error'), httpStatus: z.literal([500, 503]).default(500) }),
  /** The job was made, but the answer is lost: an error 500, or a dropped connection. */
  z.strictObject({
    kind: z.literal('create-response-lost'),
    how: z.enum(['server-error', 'dropped']).default('dropped'),
  }),
  z.strictObject({ kind: z.literal('get-throttled') }),
  z.strictObject({ kind: z.literal('get-server-error'), httpStatus: z.literal([500, 503]).default(500) }),
  z.strictObject({ kind: z.literal('list-throttled') }),
  z.strictObject({ kind: z.literal('stop-throttled') }),
  z.strictObject({ kind: z.literal('invoke-throttled') }),
  z.strictObject({
    kind: z.literal('invoke-error'),
    errorName: z
      .enum([
        'ValidationException',
        'AccessDeniedException',
        'ModelTimeoutException',
        'ModelErrorException',
        'InternalServerException',
        'ServiceUnavailableException',
      ])
      .default('InternalServerException'),
    message: z
      .string()
      .default('The system encountered an unexpected error during processing. Try your request again.'),
  }),
  /** The model has answered, and is paid for it, but the answer is lost. */
  z.strictObject({
    kind: z.literal('invoke-response-lost'),
    how: z.enum(['server-error', 'dropped']).default('dropped'),
  }),
]);

/** A fault of a whole job. */
const JobFault = z.discriminatedUnion('kind', [
  /** The job fails at the end of Validating with this message. */
  z.strictObject({ kind: z.literal('validation-failed'), message: z.string() }),
  /** The role lacks a KMS permission; the message speaks of S3, as the real one does. */
  z.strictObject({
    kind: z.literal('kms-denied'),
    operation: z.enum(['GetObject', 'PutObject']).default('GetObject'),
  }),
  /** The job ends so at the end of a stage; for InProgress after this fraction of its records. */
  z.strictObject({
    kind: z.literal('job-ended'),
    status: z.enum(['Failed', 'Stopped', 'Expired', 'PartiallyCompleted']),
    stage: z.enum(['Submitted', 'Validating', 'Scheduled', 'InProgress']).default('InProgress'),
    fraction: Fraction.default(0.5),
    keepsOutput: z.boolean().default(true),
    message: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal('slow-stage'),
    stage: z.enum(['Submitted', 'Validating', 'Scheduled', 'InProgress', 'Stopping']),
    extraMs: z.int().min(0),
  }),
  z.strictObject({ kind: z.literal('manifest-missing') }),
  /** Every count of the manifest is off by this much. */
  z.strictObject({ kind: z.literal('manifest-wrong'), offBy: z.int().default(1) }),
  /** Lines with record ids that nobody sent. */
  z.strictObject({ kind: z.literal('unknown-records'), count: Count.default(1) }),
  z.strictObject({
    kind: z.literal('record-errors'),
    ...RecordChoice,
    errorCode: z.int().default(500),
    errorMessage: z.string().default('Internal server error'),
  }),
  z.strictObject({ kind: z.literal('missing-records'), ...RecordChoice }),
  z.strictObject({ kind: z.literal('duplicate-lines'), ...RecordChoice }),
  z.strictObject({
    kind: z.literal('corrupt-lines'),
    ...RecordChoice,
    how: z.enum(['truncated', 'lone-surrogate', 'not-json']).default('truncated'),
  }),
  /** The answer ends in U+2028, U+0085 and an escaped NUL. */
  z.strictObject({ kind: z.literal('awkward-text'), ...RecordChoice }),
  /** The answer is no JSON, where it would have been. */
  z.strictObject({ kind: z.literal('broken-answers'), ...RecordChoice }),
  /** The error of a good record and the output of a bad one are there, as null. */
  z.strictObject({ kind: z.literal('explicit-nulls'), ...RecordChoice }),
]);

/** When a rule applies; all of it must hold. */
const FaultCondition = z.strictObject({
  /** The job's number, 1 for the first one that was ever made; a create call has that of the job it would make. */
  jobs: z.array(z.int()).optional(),
  /** A regular expression that the job's name matches. */
  jobName: z.string().optional(),
  /** A regular expression that the model id matches, as it was given. */
  modelId: z.string().optional(),
  /** A tag that the job has. */
  tag: z.strictObject({ key: z.string(), value: z.string() }).optional(),
});

/** One rule of a fault script. */
export const FaultRule = z.strictObject({
  when: FaultCondition.optional(),
  /** How often the rule applies. @default 1 for the fault of a call, without end for the fault of a job */
  times: Count.optional(),
  fault: z.union([RequestFault, JobFault]),
});

/** A list of rules, or a seed from which one is made that a sound client survives. */
export const FaultScript = z.union([z.array(FaultRule), z.strictObject({ seed: z.int() })]);

/** A list of rules, or a seed from which one is made that a sound client survives. */
export type FaultScript = z.input<typeof FaultScript>;
/** One rule of a fault script. */
export type FaultRule = z.infer<typeof FaultRule>;
/** A fault of one API call. */
export type RequestFault = z.infer<typeof RequestFault>;
/** A fault of a whole job. */
export type JobFault = z.infer<typeof JobFault>;

/** The rules of a script, read and with all defaults. */
export function readFaultScript(script: FaultScript): FaultRule[] {
  const parsed = FaultScript.parse(script);
  return Array.isArray(parsed) ? parsed : generateFaults(parsed.seed);
}

/** True for a fault of one call, false for one of a job. */
export function isRequestFault(fault: RequestFault | JobFault): fault is RequestFault {
  return /^(create|get|list|stop|invoke)-/.test(fault.kind);
}

/** Draws rules that each end, so that a client that tries again gets everything answered. */
export function generateFaults(seed: number): FaultRule[] {
  const random = createRandom(seed);
  const upTo = (max: number) => 1 + Math.floor(random() * max);
  const drawn = shuffle(candidates(random, upTo), random).slice(0, 4 + Math.floor(random() * 6));
  return drawn.map((rule) => FaultRule.parse(rule));
}

function candidates(random: Random, upTo: (max: number) => number): z.input<typeof FaultRule>[] {
  const oneOf = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)] as T;
  return [
    { times: upTo(3), fault: { kind: 'create-throttled' } },
    { times: upTo(2), fault: { kind: 'create-quota-exceeded' } },
    { fault: { kind: 'create-server-error', httpStatus: oneOf([500, 503] as const) } },
    { fault: { kind: 'create-response-lost', how: oneOf(['server-error', 'dropped'] as const) } },
    { times: upTo(4), fault: { kind: 'get-throttled' } },
    { times: upTo(2), fault: { kind: 'get-server-error' } },
    { times: upTo(2), fault: { kind: 'invoke-throttled' } },
    { fault: { kind: 'invoke-error' } },
    {
      times: 1,
      fault: {
        kind: 'job-ended',
        status: oneOf(['Failed', 'Stopped', 'PartiallyCompleted'] as const),
        fraction: random(),
        keepsOutput: true,
      },
    },
    { times: 1, fault: { kind: 'job-ended', status: 'Expired', stage: 'Scheduled' } },
    {
      fault: {
        kind: 'record-errors',
        fraction: random() * 0.1,
        errorCode: oneOf([429, 500, 503] as const),
        firstAttemptOnly: true,
      },
    },
    {
      fault: {
        kind: 'record-errors',
        fraction: random() * 0.02,
        errorCode: 400,
        errorMessage: 'The request could not be processed.',
      },
    },
    { fault: { kind: 'missing-records', fraction: random() * 0.1, firstAttemptOnly: true } },
    {
      fault: {
        kind: 'corrupt-lines',
        fraction: random() * 0.02,
        firstAttemptOnly: true,
        how: oneOf(['truncated', 'not-json', 'lone-surrogate'] as const),
      },
    },
    { fault: { kind: 'duplicate-lines', fraction: random() * 0.05 } },
    { fault: { kind: 'awkward-text', fraction: random() * 0.1 } },
    { fault: { kind: 'explicit-nulls', fraction: random() * 0.1 } },
    { times: 1, fault: { kind: 'unknown-records', count: upTo(3) } },
    { times: 1, fault: { kind: 'manifest-missing' } },
    { times: 1, fault: { kind: 'manifest-wrong' } },
    { times: upTo(2), fault: { kind: 'slow-stage', stage: 'Scheduled', extraMs: upTo(60) * 60_000 } },
  ];
}
