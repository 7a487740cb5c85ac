import { OUTPUT_NOT_READY, RETRYABLE_ERROR_NAMES } from '../core/errors.ts';
import { TERMINAL_STATUSES } from '../core/jobs/job.ts';
import type {
  PayloadTemplate,
  Retrier,
  StateMachineDefinition,
  TaskState,
} from '../engine/definition/amazon-states-language.ts';

/** The steps that are Lambda functions, each by the substitution that stands for its ARN. */
export const STEP_NAMES = [
  'plan',
  'prepare',
  'dispatch',
  'repack',
  'submit',
  'runOnDemand',
  'collect',
  'merge',
  'summarize',
] as const;
export type StepName = (typeof STEP_NAMES)[number];

/** The placeholder of a step's function in the definition. */
export function functionPlaceholder(step: StepName): string {
  return `\${${step}Function}`;
}

/**
 * Seconds that a state waits for a function: a minute more than a function may take, so that it is Lambda which says that
 * it took too long. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const STEP_TIMEOUT_SECONDS = 960;

/**
 * Lambda's own hiccups; harmless to repeat, since every step may run twice.
 * https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception
 */
const LAMBDA_ERRORS = [
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
];

/**
 * A new account runs 10 functions at once, and a wave's parts are collected together: a function waits for its place for
 * hours if need be. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const RETRY_THROTTLED: Retrier = {
  ErrorEquals: ['Lambda.TooManyRequestsException'],
  IntervalSeconds: 2,
  BackoffRate: 2,
  MaxDelaySeconds: 120,
  MaxAttempts: 1000,
  JitterStrategy: 'FULL',
};

/**
 * A function that ran out of time or memory, or crashed: twice more, since a rare neighbour or a slow disk may be the cause,
 * and no oftener, since a part that is too large stays so.
 * https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
 */
const RETRY_CRASHED: Retrier = {
  ErrorEquals: ['Sandbox.Timedout', 'Runtime.ExitError', 'States.Timeout', 'Lambda.Unknown'],
  IntervalSeconds: 5,
  BackoffRate: 2,
  MaxAttempts: 2,
};

/** A few tries for what a moment may mend. */
const RETRY_BRIEFLY: Retrier = {
  ErrorEquals: [...RETRYABLE_ERROR_NAMES, ...LAMBDA_ERRORS],
  IntervalSeconds: 2,
  BackoffRate: 2,
  MaxDelaySeconds: 60,
  MaxAttempts: 8,
  JitterStrategy: 'FULL',
};

/** Waits for a job slot or for Bedrock to answer, for days if need be: two runs share the quota, neither fails. */
const RETRY_PATIENTLY: Retrier = {
  ErrorEquals: [...RETRYABLE_ERROR_NAMES, ...LAMBDA_ERRORS],
  IntervalSeconds: 5,
  BackoffRate: 2,
  MaxDelaySeconds: 300,
  MaxAttempts: 5000,
  JitterStrategy: 'FULL',
};

/**
 * Waits for what a job has left, seconds at first and minutes in the end: for longer than Collect takes it for late. Whoever
 * ends this way has paid, and asks for nothing again.
 */
const AWAIT_OUTPUT: Retrier = {
  ErrorEquals: [OUTPUT_NOT_READY],
  IntervalSeconds: 2,
  BackoffRate: 2,
  MaxDelaySeconds: 600,
  MaxAttempts: 14,
};

/** A part whose job cannot be had goes to Collect with its fault, which leaves its siblings alone. */
const CATCH_FAULT = { ErrorEquals: ['States.ALL'], ResultPath: '$.fault', Next: 'Collect' } as const;

/** A Task that calls a step's function; the state's result is the function's. */
function step(
  name: StepName,
  payload: PayloadTemplate | { 'Payload.$': string },
  ...retry: readonly Retrier[]
): Pick<
  Extract<TaskState, { Type: 'Task' }>,
  'Type' | 'Resource' | 'Parameters' | 'Retry' | 'TimeoutSeconds'
> {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: {
      FunctionName: functionPlaceholder(name),
      ...('Payload.$' in payload ? payload : { Payload: payload }),
    },
    TimeoutSeconds: STEP_TIMEOUT_SECONDS,
    Retry: [RETRY_THROTTLED, RETRY_CRASHED, ...(retry.length === 0 ? [RETRY_BRIEFLY] : retry)],
  };
}

/**
 * The workflow, once: CDK deploys it, the embedded engine interprets it, tests walk it, the docs draw it.
 * JSONPath, so that an independent interpreter can run it too.
 */
export const definition = {
  Comment:
    'Runs a prompt or an embedding model over every row of a dataset with Amazon Bedrock batch inference.',
  QueryLanguage: 'JSONPath',
  StartAt: 'Plan',
  States: {
    Plan: {
      Comment: 'Validates the run input, counts and packs the rows. Nothing is spent.',
      ...step('plan', { 'Payload.$': '$' }),
      OutputPath: '$.Payload',
      Next: 'Prepare',
    },
    Prepare: {
      Comment: 'Renders the records of every part, slice by slice.',
      Type: 'Map',
      Label: 'Prepare',
      ItemReader: {
        Resource: 'arn:aws:states:::s3:getObject',
        ReaderConfig: { InputType: 'JSON' },
        Parameters: { 'Bucket.$': '$.bucket', 'Key.$': '$.slices_key' },
      },
      ItemSelector: { 'run_uri.$': '$.run_uri', 'slice.$': '$$.Map.Item.Value.slice' },
      MaxConcurrencyPath: '$.prepare_concurrency',
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        StartAt: 'Prepare slice',
        States: {
          'Prepare slice': { ...step('prepare', { 'Payload.$': '$' }), OutputPath: '$.Payload', End: true },
        },
      },
      ResultWriter: {
        Resource: 'arn:aws:states:::s3:putObject',
        Parameters: { 'Bucket.$': '$.bucket', 'Prefix.$': '$.map_results_prefix' },
      },
      ResultPath: null,
      Next: 'Dispatch',
    },
    Dispatch: {
      Comment: 'Decides the next wave from what is still owed.',
      ...step('dispatch', { 'Payload.$': '$' }),
      OutputPath: '$.Payload',
      Next: 'Anything owed?',
    },
    'Anything owed?': {
      Type: 'Choice',
      Choices: [
        { Variable: '$.decision', StringEquals: 'run', Next: 'Run jobs' },
        { Variable: '$.decision', StringEquals: 'merge', Next: 'Merge' },
      ],
      Default: 'Summarize',
    },
    'Run jobs': {
      Comment: 'One model invocation job for each part; a part that fails does not stop its siblings.',
      Type: 'Map',
      Label: 'RunJobs',
      ItemReader: {
        Resource: 'arn:aws:states:::s3:getObject',
        ReaderConfig: { InputType: 'JSON' },
        Parameters: { 'Bucket.$': '$.bucket', 'Key.$': '$.items_key' },
      },
      ItemSelector: { 'part.$': '$$.Map.Item.Value' },
      MaxConcurrencyPath: '$.max_concurrent_jobs',
      ToleratedFailurePercentage: 100,
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        StartAt: 'Sent before?',
        States: {
          'Sent before?': {
            Type: 'Choice',
            Choices: [
              { Variable: '$.part.repair', BooleanEquals: true, Next: 'Repack' },
              { Variable: '$.part.schema_form', IsPresent: true, Next: 'Repack' },
            ],
            Default: 'How to run',
          },
          Repack: {
            Comment:
              'Gathers owed records of earlier parts into one input file, or puts records into another form.',
            ...step('repack', { 'Payload.$': '$.part' }),
            ResultPath: null,
            Next: 'How to run',
          },
          'How to run': {
            Type: 'Choice',
            Choices: [
              { Variable: '$.part.mode', StringEquals: 'batch', Next: 'Submit' },
              { Variable: '$.part.mode', StringEquals: 'on_demand', Next: 'Run on demand' },
            ],
            Default: 'Collect',
          },
          Submit: {
            Comment: 'Creates the model invocation job, or finds the one that was created before.',
            ...step('submit', { 'Payload.$': '$.part' }, RETRY_PATIENTLY),
            ResultSelector: {
              'job_arn.$': '$.Payload.job_arn',
              'young_seconds.$': '$.Payload.young_seconds',
              'young_until.$': '$.Payload.young_until',
              'poll_seconds.$': '$.Payload.poll_seconds',
              'poll_until.$': '$.Payload.poll_until',
              'old_seconds.$': '$.Payload.old_seconds',
            },
            ResultPath: '$.job',
            Catch: [CATCH_FAULT],
            Next: 'Is there a job?',
          },
          'Is there a job?': {
            Type: 'Choice',
            Choices: [{ Variable: '$.job.job_arn', IsNull: true, Next: 'Collect' }],
            Default: 'Wait briefly',
          },
          'Wait briefly': { Type: 'Wait', SecondsPath: '$.job.young_seconds', Next: 'Get job' },
          Wait: { Type: 'Wait', SecondsPath: '$.job.poll_seconds', Next: 'Get job' },
          'Wait longer': { Type: 'Wait', SecondsPath: '$.job.old_seconds', Next: 'Get job' },
          'Get job': {
            Type: 'Task',
            Resource: 'arn:aws:states:::aws-sdk:bedrock:getModelInvocationJob',
            Parameters: { 'JobIdentifier.$': '$.job.job_arn' },
            ResultSelector: { 'status.$': '$.Status' },
            ResultPath: '$.job_state',
            TimeoutSeconds: 60,
            Retry: [
              {
                ErrorEquals: ['Bedrock.AccessDeniedException', 'Bedrock.ResourceNotFoundException'],
                MaxAttempts: 0,
              },
              { ...RETRY_PATIENTLY, ErrorEquals: ['States.ALL'] },
            ],
            Catch: [CATCH_FAULT],
            Next: 'Has it ended?',
          },
          'Has it ended?': {
            Type: 'Choice',
            Choices: [
              {
                Or: TERMINAL_STATUSES.map((status) => ({
                  Variable: '$.job_state.status',
                  StringEquals: status,
                })),
                Next: 'Collect',
              },
              {
                Variable: '$$.State.EnteredTime',
                TimestampLessThanPath: '$.job.young_until',
                Next: 'Wait briefly',
              },
              { Variable: '$$.State.EnteredTime', TimestampLessThanPath: '$.job.poll_until', Next: 'Wait' },
            ],
            Default: 'Wait longer',
          },
          'Run on demand': {
            Comment: 'For fewer records than Bedrock takes in a job: the same bodies, one by one.',
            ...step('runOnDemand', { 'Payload.$': '$.part' }, RETRY_PATIENTLY),
            ResultPath: null,
            Catch: [CATCH_FAULT],
            Next: 'Collect',
          },
          Collect: {
            Comment: 'Joins whatever the job left to the rows of its part.',
            ...step('collect', { 'Payload.$': '$' }, AWAIT_OUTPUT, RETRY_BRIEFLY),
            OutputPath: '$.Payload',
            End: true,
          },
        },
      },
      ResultWriter: {
        Resource: 'arn:aws:states:::s3:putObject',
        Parameters: { 'Bucket.$': '$.bucket', 'Prefix.$': '$.map_results_prefix' },
      },
      ResultPath: null,
      Next: 'Dispatch',
    },
    Merge: {
      Comment: 'Gives every row that was sent again its last outcome, part by part.',
      Type: 'Map',
      Label: 'Merge',
      ItemReader: {
        Resource: 'arn:aws:states:::s3:getObject',
        ReaderConfig: { InputType: 'JSON' },
        Parameters: { 'Bucket.$': '$.bucket', 'Key.$': '$.items_key' },
      },
      MaxConcurrencyPath: '$.prepare_concurrency',
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        StartAt: 'Merge part',
        States: {
          'Merge part': { ...step('merge', { 'Payload.$': '$' }), OutputPath: '$.Payload', End: true },
        },
      },
      ResultWriter: {
        Resource: 'arn:aws:states:::s3:putObject',
        Parameters: { 'Bucket.$': '$.bucket', 'Prefix.$': '$.map_results_prefix' },
      },
      ResultPath: null,
      Next: 'Summarize',
    },
    Summarize: {
      Comment: 'Adds up the ledger and proves that rows out are rows in.',
      ...step('summarize', { 'Payload.$': '$' }),
      OutputPath: '$.Payload',
      Next: 'Was it stopped?',
    },
    'Was it stopped?': {
      Type: 'Choice',
      Choices: [{ Variable: '$.error', IsString: true, Next: 'Stopped by a fault' }],
      Default: 'Done',
    },
    'Stopped by a fault': {
      Comment: 'What went wrong would go wrong for every job. All that was collected is kept.',
      Type: 'Fail',
      ErrorPath: '$.error',
      CausePath: '$.message',
    },
    Done: { Type: 'Succeed' },
  },
} as const satisfies StateMachineDefinition;
