import validate from 'asl-validator';
import { expect, test } from 'vitest';
import * as errors from '../../src/core/errors.ts';
import { JobStatus, outcomeOf } from '../../src/core/jobs/job.ts';
import { pollPaceOf } from '../../src/core/jobs/poll-pace.ts';
import type { Retrier, State, States } from '../../src/engine/definition/amazon-states-language.ts';
import { definition, functionPlaceholder, STEP_NAMES } from '../../src/workflow/definition.ts';

/** Every state, the children of Map states included, with the states among which its Next is. */
function allStates(states: States): { name: string; state: State; siblings: States }[] {
  return Object.entries(states.States).flatMap(([name, state]) => [
    { name, state, siblings: states },
    ...(state.Type === 'Map' ? allStates(state.ItemProcessor) : []),
  ]);
}

const states = allStates(definition);

test('an independent validator finds nothing wrong with the definition', () => {
  expect(validate(JSON.parse(JSON.stringify(definition)))).toMatchObject({ isValid: true, errors: [] });
});

test('every transition leads to a state that is there', () => {
  for (const { name, state, siblings } of states) {
    const nexts = [
      'Next' in state ? state.Next : undefined,
      ...(state.Type === 'Choice' ? [state.Default, ...state.Choices.map(({ Next }) => Next)] : []),
      ...('Catch' in state && state.Catch ? state.Catch.map(({ Next }) => Next) : []),
    ].filter((next) => next !== undefined);
    for (const next of nexts) expect(Object.keys(siblings.States), name).toContain(next);
    const isLast = state.Type === 'Fail' || state.Type === 'Succeed';
    if (nexts.length === 0 && !isLast) expect(state, name).toHaveProperty('End', true);
  }
});

test('every error that a Retry names is one that is thrown, or Step Functions’, Lambda’s or Bedrock’s own', () => {
  const ours = Object.values(errors).flatMap((value) =>
    typeof value === 'function' && value.prototype instanceof Error && value !== errors.QuarryError
      ? [new (value as new (message: string) => Error)('').name]
      : [],
  );
  for (const { name, state } of states) {
    if (!('Retry' in state)) continue;
    for (const error of state.Retry?.flatMap(({ ErrorEquals }) => ErrorEquals) ?? []) {
      expect(
        /^(?:States|Lambda|Sandbox|Runtime|Bedrock)\./.test(error) || ours.includes(error),
        `${name}: ${error}`,
      ).toBe(true);
    }
  }
});

const functionStates = states.flatMap(({ name, state }) =>
  state.Type === 'Task' && state.Resource === 'arn:aws:states:::lambda:invoke' ? [{ name, state }] : [],
);

/** The retrier that takes an error, as Step Functions finds it: the first that names it, or that names States.ALL. */
function retrierOf(state: (typeof functionStates)[number]['state'], error: string): Retrier | undefined {
  return state.Retry?.find(
    ({ ErrorEquals }) => ErrorEquals.includes(error) || ErrorEquals.includes('States.ALL'),
  );
}

test.each(['Sandbox.Timedout', 'Runtime.ExitError', 'States.Timeout', 'Lambda.Unknown'])(
  'a function that ends with %s is called twice more, and no oftener',
  (error) => {
    expect(functionStates.length).toBeGreaterThanOrEqual(STEP_NAMES.length);
    for (const { name, state } of functionStates) expect(retrierOf(state, error)?.MaxAttempts, name).toBe(2);
  },
);

test('a function that Lambda has no place for is waited for by every step, for hours', () => {
  for (const { name, state } of functionStates) {
    const retrier = retrierOf(state, 'Lambda.TooManyRequestsException');
    // With full jitter a wait is half of its delay on average.
    const seconds = ((retrier?.MaxAttempts ?? 0) * (retrier?.MaxDelaySeconds ?? 0)) / 2;
    expect(seconds, name).toBeGreaterThan(12 * 3600);
  }
});

test('what AWS recommends to retry of Lambda is retried by every step', () => {
  for (const { name, state } of functionStates) {
    for (const error of [
      'Lambda.ClientExecutionTimeoutException',
      'Lambda.ServiceException',
      'Lambda.AWSLambdaException',
      'Lambda.SdkClientException',
    ]) {
      expect(retrierOf(state, error)?.MaxAttempts, `${name}: ${error}`).toBeGreaterThan(2);
    }
  }
});

test('a state waits longer than its function may take, so that Lambda’s own error is heard', () => {
  for (const { name, state } of functionStates) expect(state.TimeoutSeconds, name).toBeGreaterThan(15 * 60);
});

test('every error class says its own name, and whether it is worth trying again', () => {
  for (const [name, value] of Object.entries(errors)) {
    if (typeof value !== 'function' || value === errors.QuarryError) continue;
    const error = new (value as new (message: string) => errors.QuarryError)('why');
    expect(error.name).toBe(name);
    expect([...errors.RETRYABLE_ERROR_NAMES, errors.OUTPUT_NOT_READY].includes(name as never)).toBe(
      error.retryable,
    );
  }
});

test('every function that is called is a step, and every step is called', () => {
  const called = states.flatMap(({ state }) =>
    state.Type === 'Task' && state.Resource === 'arn:aws:states:::lambda:invoke'
      ? [state.Parameters?.FunctionName]
      : [],
  );
  expect(new Set(called)).toEqual(new Set(STEP_NAMES.map(functionPlaceholder)));
});

test('waiting ends with exactly the statuses from which a job never moves', () => {
  const { Choices } = definition.States['Run jobs'].ItemProcessor.States['Has it ended?'];
  const statuses = Choices[0].Or.map(({ StringEquals }) => StringEquals);
  expect(new Set(statuses)).toEqual(
    new Set(JobStatus.options.filter((status) => outcomeOf(status).kind === 'ended')),
  );
});

test('labels fit into the ARNs of Map Runs', () => {
  for (const { state } of states) {
    if (state.Type === 'Map') expect(state.Label?.length).toBeLessThanOrEqual(40);
  }
});

/** Events of a look at a job: a Wait (2), Get job (5: entered, scheduled, started, succeeded, exited) and a Choice (2). */
const EVENTS_OF_A_LOOK = 9;
/** Events of a child of Run jobs beside its looks, each step called a few times; and room for looks that have to be repeated. */
const OTHER_EVENTS = 100;
/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const MOST_EVENTS = 25_000;
const WEEK_SECONDS = 7 * 86_400;

/** How often a job is looked at in a week, walked through the definition's own states. */
function looksOfAWeek(pollSeconds: number): number {
  const pace = { job_arn: 'arn', ...pollPaceOf(pollSeconds, 0) };
  const children = definition.States['Run jobs'].ItemProcessor.States;
  const choice = children['Has it ended?'];
  const secondsOf: Record<string, number> = {
    'Wait briefly': pace.young_seconds,
    Wait: pace.poll_seconds,
    'Wait longer': pace.old_seconds,
  };
  let [seconds, looks] = [0, 0];
  let next: string = children['Is there a job?'].Default;
  while (seconds < WEEK_SECONDS) {
    seconds += secondsOf[next] ?? Number.NaN;
    looks += 1;
    const now = new Date(seconds * 1000).toISOString();
    const rule = choice.Choices.find(
      (candidate) =>
        'TimestampLessThanPath' in candidate &&
        now < (candidate.TimestampLessThanPath === '$.job.young_until' ? pace.young_until : pace.poll_until),
    );
    next = rule?.Next ?? choice.Default;
  }
  return looks;
}

test.each([60, 300, 3600])(
  'a job that runs for seven days, usually looked at every %d seconds, leaves room in the history of its execution',
  (pollSeconds) => {
    const looks = looksOfAWeek(pollSeconds);
    expect(looks * EVENTS_OF_A_LOOK + OTHER_EVENTS).toBeLessThan(0.85 * MOST_EVENTS);
  },
);
