import fc from 'fast-check';
import type { FaultScript } from '../../src/emulator/faults/faults.ts';
import { HARMS, type Harm } from '../support/harmed-files.ts';
import type { OutputFault } from '../support/output-faults.ts';

/** The run whose answers a run may have. */
export const FORMER_RUN_ID = 'former';

/** Everything that one run of the chaos suite is made of; a seed of fast-check gives it back. */
export interface Scenario {
  dataset: {
    rows: number;
    format: 'csv' | 'jsonl' | 'parquet';
    files: number;
    /** So many different prompts there are at most; undefined: every row has its own. */
    distinct: number | undefined;
    /** Each so many rows the prompt is null. */
    nullEvery: number | undefined;
    /** Each row shows an image of its own, or one that others show too. */
    photos?: Photos | undefined;
    /** Rows choose one of two prompts; each so many rows choose none that there is. */
    prompts?: { unknownEvery: number } | undefined;
  };
  quotas: { minRecordsPerJob: number; maxRecordsPerJob: number; maxConcurrentJobs: number };
  overQuota: 'reject-quota' | 'reject-throttle' | 'queue';
  keys: {
    max_attempts: number;
    pilot: boolean;
    record_id_column?: string;
    dedupe?: boolean;
    reuse?: boolean;
    retry_truncated?: boolean;
    retry_refused?: boolean;
    inference_parameters?: { max_tokens: number };
    output_schema?: Record<string, string>;
    reask?: boolean;
  };
  /** `max_cost_usd`, in shares of what a run without repairs could cost at most. */
  budget: number | undefined;
  faults: Exclude<FaultScript, { seed: number }>;
  /** Output that comes late, or otherwise than is documented. */
  outputs: OutputFault[];
  /** The same input under the same id is run in another bucket before, in the same account. */
  hasNeighbour: boolean;
  /** A run of the first rows keeps its answers: before, and one file of them may be harmed; or at the same time. */
  former: { rows: number; isBeside: boolean; harm: Harm | undefined } | undefined;
  /** Once it has ended without every answer, somebody mends the account and resumes it. */
  isTakenUp: boolean;
  /** What goes wrong on our own side. */
  machine: MachineFaults;
  seed: number;
}

/** Images of the rows of a dataset. */
export interface Photos {
  /** In the rows themselves, which Parquet alone can have; else beside the dataset, where rows name them. */
  asBytes: boolean;
  /** So many different ones there are. */
  distinct: number;
  /** Each so many rows have none that can be sent, for one reason after the other. */
  unsoundEvery: number;
}

/** Faults of the machine that runs the steps. */
export interface MachineFaults {
  /** Calls of the store that fail, by their number; each before it acts, or after. */
  storeFaults: { call: number; when: 'before' | 'after' }[];
  /** The store gives no file of its own away: everything is downloaded. */
  isRemote: boolean;
  /** Steps that are called again although they were done, by their number. */
  stepsTwice: number[];
  /** Steps that another worker does at the same time, each call of the store up to so many turns later. */
  twins: { step: number; delayTurns: number }[];
  /** A second process starts the same run at these steps. */
  rivals: number[];
  /** The run is cancelled at these steps, and taken up again once it has ended so. */
  cancelledAt: number[];
  /** Steps whose answer is lost after they were done, by their number. */
  answersLost: number[];
  /** The execution is broken off after so many steps, and started again. */
  brokenOffAfter: number[];
  /** Files of the run that are harmed before these steps. */
  harms: (Harm & { step: number })[];
  /** Milliseconds by which the clock that the steps read is off, from one reading to the next. */
  clockJumpsMs: number[];
}

type Rule = Scenario['faults'][number];
type Fault = Rule['fault'];

const few = fc.integer({ min: 1, max: 3 });
const errorStatus = fc.constantFrom(500, 503);
const lostHow = fc.constantFrom('server-error', 'dropped');
const share = fc.oneof(
  { weight: 4, arbitrary: fc.double({ min: 0, max: 0.5, noNaN: true }) },
  { weight: 1, arbitrary: fc.constant(1) },
);

/** Which of the records a fault hits, and whether it spares them the next time. */
const someRecords = { fraction: share, firstAttemptOnly: fc.boolean() };

const requestFault = fc.oneof(
  fc.record({ kind: fc.constant('create-throttled') }),
  fc.record({ kind: fc.constant('create-quota-exceeded') }),
  fc.record({ kind: fc.constant('create-server-error'), httpStatus: errorStatus }),
  fc.record({ kind: fc.constant('create-response-lost'), how: lostHow }),
  fc.record({ kind: fc.constant('get-throttled') }),
  fc.record({ kind: fc.constant('get-server-error'), httpStatus: errorStatus }),
  fc.record({ kind: fc.constant('list-throttled') }),
  fc.record({ kind: fc.constant('invoke-throttled') }),
  fc.record({
    kind: fc.constant('invoke-error'),
    errorName: fc.constantFrom(
      'ValidationException',
      'AccessDeniedException',
      'ModelTimeoutException',
      'ModelErrorException',
      'InternalServerException',
      'ServiceUnavailableException',
    ),
  }),
  fc.record({ kind: fc.constant('invoke-response-lost'), how: lostHow }),
);

const wholeJobFault = fc.oneof(
  fc.record({ kind: fc.constant('validation-failed'), message: fc.constantFrom('Line 3 is bad.', 'No.') }),
  fc.record({ kind: fc.constant('kms-denied'), operation: fc.constantFrom('GetObject', 'PutObject') }),
  fc.record(
    {
      kind: fc.constant('job-ended'),
      status: fc.constantFrom('Failed', 'Stopped', 'Expired', 'PartiallyCompleted'),
      stage: fc.constantFrom('Submitted', 'Validating', 'Scheduled', 'InProgress'),
      fraction: fc.double({ min: 0, max: 1, noNaN: true }),
      keepsOutput: fc.boolean(),
      message: fc.constantFrom('The service had an internal error.', 'Out of capacity.'),
    },
    { requiredKeys: ['kind', 'status', 'stage', 'fraction', 'keepsOutput'] },
  ),
  fc.record({
    kind: fc.constant('slow-stage'),
    stage: fc.constantFrom('Submitted', 'Scheduled', 'InProgress'),
    // Up to thirty hours: past the time-out of a job.
    extraMs: fc.integer({ min: 1, max: 30 }).map((hours) => hours * 3_600_000),
  }),
  fc.record({ kind: fc.constant('manifest-missing') }),
  fc.record({ kind: fc.constant('manifest-wrong'), offBy: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant('unknown-records'), count: few }),
);

const recordFault = fc.oneof(
  fc.record({
    kind: fc.constant('record-errors'),
    ...someRecords,
    errorCode: fc.constantFrom(400, 403, 408, 424, 429, 500, 503),
    errorMessage: fc.constantFrom(
      'It went wrong.',
      'Your credit balance is too low.',
      'output_config.format: Extra inputs are not permitted',
    ),
  }),
  fc.record({ kind: fc.constant('broken-answers'), ...someRecords }),
  fc.record({ kind: fc.constant('missing-records'), ...someRecords }),
  fc.record({ kind: fc.constant('duplicate-lines'), ...someRecords }),
  fc.record({
    kind: fc.constant('corrupt-lines'),
    ...someRecords,
    how: fc.constantFrom('truncated', 'lone-surrogate', 'not-json'),
  }),
  fc.record({ kind: fc.constant('awkward-text'), ...someRecords }),
  fc.record({ kind: fc.constant('explicit-nulls'), ...someRecords }),
);

const ofSomeJobs = fc.oneof(
  fc.record({ times: few }),
  fc
    .uniqueArray(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 })
    .map((jobs) => ({ when: { jobs } })),
  fc.constant({}),
);

const rule: fc.Arbitrary<Rule> = fc
  .oneof(
    fc.tuple(fc.record({ times: few }), requestFault),
    fc.tuple(ofSomeJobs, wholeJobFault),
    fc.tuple(ofSomeJobs, recordFault),
  )
  .map(([condition, fault]) => ({ ...condition, fault: fault as Fault }));

const outputFault: fc.Arbitrary<OutputFault> = fc.record({
  job: fc.integer({ min: 1, max: 4 }),
  how: fc.constantFrom('absent', 'gzipped', 'glued', 'cut-off', 'renamed'),
  // A second, some minutes, over an hour, for ever.
  forMs: fc.constantFrom(1_000, 600_000, 7_200_000, Number.MAX_SAFE_INTEGER),
});

/** One time in four; else `usual`. */
const seldom = <T, U>(arbitrary: fc.Arbitrary<T>, usual: U): fc.Arbitrary<T | U> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary });

const callNumbers = (max: number, maxLength: number) =>
  fc.uniqueArray(fc.integer({ min: 1, max }), { maxLength });

const machineFaults: fc.Arbitrary<MachineFaults> = fc.record({
  storeFaults: fc.uniqueArray(
    fc.record({ call: fc.integer({ min: 1, max: 250 }), when: fc.constantFrom('before', 'after') }),
    { maxLength: 5, selector: ({ call }) => call },
  ),
  isRemote: seldom(fc.constant(true), false),
  stepsTwice: callNumbers(30, 6),
  twins: fc.uniqueArray(
    fc.record({ step: fc.integer({ min: 1, max: 30 }), delayTurns: fc.constantFrom(0, 1, 5, 50) }),
    { maxLength: 4, selector: ({ step }) => step },
  ),
  rivals: seldom(callNumbers(20, 1), []),
  answersLost: callNumbers(30, 4),
  brokenOffAfter: callNumbers(25, 2),
  cancelledAt: seldom(callNumbers(20, 2), []),
  harms: seldom(
    fc.array(
      fc.record({
        step: fc.integer({ min: 2, max: 30 }),
        how: fc.constantFrom(...HARMS),
        file: fc.nat({ max: 200 }),
        at: fc.double({ min: 0, max: 0.99, noNaN: true }),
      }),
      { minLength: 1, maxLength: 2 },
    ),
    [],
  ),
  clockJumpsMs: fc.array(fc.integer({ min: -86_400_000, max: 86_400_000 }), { maxLength: 5 }),
});

/** A machine without faults. */
export const soundMachine: MachineFaults = {
  storeFaults: [],
  isRemote: false,
  stepsTwice: [],
  twins: [],
  rivals: [],
  answersLost: [],
  brokenOffAfter: [],
  cancelledAt: [],
  harms: [],
  clockJumpsMs: [],
};

const dataset: fc.Arbitrary<Scenario['dataset']> = fc.record({
  rows: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 14 }) },
    { weight: 1, arbitrary: fc.integer({ min: 15, max: 40 }) },
  ),
  format: fc.constantFrom('csv', 'jsonl', 'parquet'),
  files: seldom(fc.integer({ min: 2, max: 4 }), 1),
  distinct: seldom(fc.integer({ min: 1, max: 20 }), undefined),
  nullEvery: seldom(fc.integer({ min: 2, max: 9 }), undefined),
  photos: seldom(
    fc.record({
      asBytes: fc.boolean(),
      distinct: fc.integer({ min: 1, max: 20 }),
      unsoundEvery: fc.integer({ min: 2, max: 20 }),
    }),
    undefined,
  ),
  prompts: seldom(fc.record({ unknownEvery: fc.integer({ min: 2, max: 9 }) }), undefined),
});

/** True where nobody knows by the names whether two images are the same: what looks for equal requests is refused then. */
export function isPhotoNamed({ photos, format }: Scenario['dataset']): boolean {
  return photos !== undefined && !(photos.asBytes && format === 'parquet');
}

function withSoundKeys(scenario: Scenario): Scenario {
  if (!isPhotoNamed(scenario.dataset)) return scenario;
  const { dedupe: _, reuse: __, ...keys } = scenario.keys;
  return { ...scenario, keys };
}

const quotas = fc
  .record({
    minRecordsPerJob: fc.integer({ min: 2, max: 6 }),
    // Few parts, mostly: every part costs a hundredth of a second or five.
    room: fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 8, max: 25 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 8 }) },
    ),
    maxConcurrentJobs: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ room, ...rest }) => ({ ...rest, maxRecordsPerJob: rest.minRecordsPerJob + room }));

/** Answers that are asked for as objects: sometimes, the model is not shown its bad ones. */
const typedKeys = fc.record(
  { output_schema: fc.constant({ label: 'good | bad', stars: 'integer 1..5' }), reask: fc.constant(false) },
  { requiredKeys: ['output_schema'] },
);

const scenarioWith = (
  faults: fc.Arbitrary<Scenario['faults']>,
  machine: fc.Arbitrary<MachineFaults>,
): fc.Arbitrary<Scenario> =>
  fc
    .record({
      dataset,
      quotas,
      overQuota: fc.constantFrom('reject-quota', 'reject-throttle', 'queue'),
      keys: fc
        .record(
          {
            max_attempts: fc.integer({ min: 1, max: 4 }),
            pilot: fc.boolean(),
            record_id_column: fc.constant('id'),
            dedupe: fc.constant(true),
            retry_truncated: fc.boolean(),
            retry_refused: fc.boolean(),
            // An answer has about 40.
            inference_parameters: fc.record({ max_tokens: fc.integer({ min: 30, max: 50 }) }),
          },
          { requiredKeys: ['max_attempts', 'pilot'] },
        )
        .chain((keys) => seldom(typedKeys, {}).map((typed) => ({ ...keys, ...typed })))
        .chain((keys) => fc.oneof(fc.constant(keys), fc.constant({ ...keys, reuse: true }))),
      budget: seldom(fc.double({ min: 0.5, max: 3, noNaN: true }), undefined),
      faults,
      outputs: seldom(fc.array(outputFault, { minLength: 1, maxLength: 2 }), []),
      hasNeighbour: seldom(fc.constant(true), false),
      former: fc.option(
        fc.record({
          rows: fc.integer({ min: 1, max: 20 }),
          isBeside: seldom(fc.constant(true), false),
          harm: fc.option(
            fc.record({
              how: fc.constantFrom(...HARMS),
              file: fc.nat({ max: 20 }),
              at: fc.double({ min: 0, max: 0.99, noNaN: true }),
            }),
            { nil: undefined },
          ),
        }),
        { nil: undefined },
      ),
      isTakenUp: seldom(fc.constant(true), false),
      machine,
      seed: fc.integer({ min: 1, max: 1_000_000 }),
    })
    .map(withSoundKeys);

/** Bedrock misbehaves; our own side is sound. */
export const serviceScenario = scenarioWith(
  fc.array(rule, { minLength: 1, maxLength: 6 }),
  fc.constant(soundMachine),
);

/** Everything misbehaves. */
export const worstScenario = scenarioWith(fc.array(rule, { maxLength: 3 }), machineFaults);
