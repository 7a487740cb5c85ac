import { z } from 'zod';
import { MAX_PAYLOAD_BYTES } from '../data/payload.ts';
import { parseTimestamp } from '../data/timestamp.ts';
import { InvalidDefinitionError } from '../state-error.ts';
import { COMPARISON_OPERATORS } from '../states/choice-rule.ts';

/** "99999999" is the largest number of seconds that Step Functions takes (developer guide, Task state). */
const seconds = z.number().int().min(0).max(99_999_999);
const positiveSeconds = z.number().int().min(1).max(99_999_999);
const count = z.number().int().min(0);
const path = z.string().startsWith('$');
const nullablePath = path.nullable().optional();
const template = z.record(z.string(), z.unknown());
const name = z.string().min(1).max(80);

const common = {
  Comment: z.string().optional(),
  InputPath: nullablePath,
  OutputPath: nullablePath,
  QueryLanguage: only('JSONPath').optional(),
};
const transition = { Next: name.optional(), End: z.literal(true).optional() };
const result = { ResultSelector: template.optional(), ResultPath: nullablePath };

/** One of the values that this engine knows, of the more that Step Functions has. */
function only<const Value extends string>(...values: Value[]) {
  return z.enum(values, { error: ({ input }) => `${JSON.stringify(input)} is not supported by this engine` });
}

const errorEquals = z
  .array(z.string())
  .min(1)
  .refine((names) => !names.includes('States.ALL') || names.length === 1, 'States.ALL must stand alone');

function onlyLast(items: readonly { ErrorEquals: readonly string[] }[]): boolean {
  return items.slice(0, -1).every((item) => !item.ErrorEquals.includes('States.ALL'));
}

const retrier = z.strictObject({
  Comment: z.string().optional(),
  ErrorEquals: errorEquals,
  IntervalSeconds: positiveSeconds.optional(),
  MaxAttempts: count.max(99_999_999).optional(),
  BackoffRate: z.number().min(1).optional(),
  // "greater than 0 and less than 31622400" (developer guide, Handling errors).
  MaxDelaySeconds: z.number().int().min(1).max(31_622_399).optional(),
  JitterStrategy: z.enum(['FULL', 'NONE']).optional(),
});
const catcher = z.strictObject({
  Comment: z.string().optional(),
  ErrorEquals: errorEquals,
  Next: name,
  ResultPath: nullablePath,
});
const recovery = {
  Retry: z.array(retrier).refine(onlyLast, 'States.ALL must be in the last retrier').optional(),
  Catch: z.array(catcher).refine(onlyLast, 'States.ALL must be in the last catcher').optional(),
};

const resource = z.string().superRefine((arn, issue) => {
  const unsupported = /\.(waitForTaskToken|sync(:\d)?)$/.exec(arn)?.[0] ?? /:activity:/.exec(arn)?.[0];
  if (unsupported !== undefined)
    issue.addIssue({ code: 'custom', message: `"${unsupported}" is not supported by this engine` });
});

function atMostOne(...fields: string[]) {
  return [
    (state: Record<string, unknown>) => fields.filter((field) => state[field] !== undefined).length <= 1,
    `at most one of ${fields.join(', ')} may be given`,
  ] as const;
}

const task = z
  .strictObject({
    Type: z.literal('Task'),
    ...common,
    ...transition,
    ...result,
    ...recovery,
    Resource: resource,
    Parameters: template.optional(),
    TimeoutSeconds: positiveSeconds.optional(),
    TimeoutSecondsPath: path.optional(),
  })
  .refine(...atMostOne('TimeoutSeconds', 'TimeoutSecondsPath'));

const pass = z.strictObject({
  Type: z.literal('Pass'),
  ...common,
  ...transition,
  Result: z.unknown().optional(),
  Parameters: template.optional(),
  ResultPath: nullablePath,
});

const wait = z
  .strictObject({
    Type: z.literal('Wait'),
    ...common,
    ...transition,
    Seconds: seconds.optional(),
    SecondsPath: path.optional(),
    Timestamp: z.string().optional(),
    TimestampPath: path.optional(),
  })
  .refine(
    (state) =>
      [state.Seconds, state.SecondsPath, state.Timestamp, state.TimestampPath].filter(
        (field) => field !== undefined,
      ).length === 1,
    'exactly one of Seconds, SecondsPath, Timestamp, TimestampPath must be given',
  );

const ONE_RULE = 'a rule is one of And, Or, Not, or a Variable with one comparison operator';
const ruleFields = {
  Comment: z.string().optional(),
  Variable: path.optional(),
  ...Object.fromEntries(COMPARISON_OPERATORS.map((operator) => [operator, operandOf(operator).optional()])),
  And: z
    .array(z.lazy(() => innerRule))
    .min(1)
    .optional(),
  Or: z
    .array(z.lazy(() => innerRule))
    .min(1)
    .optional(),
  Not: z.lazy(() => innerRule).optional(),
};
const innerRule: z.ZodType = z.strictObject(ruleFields).refine(isOneRule, ONE_RULE);
const choice = z.strictObject({
  Type: z.literal('Choice'),
  ...common,
  Choices: z.array(z.strictObject({ ...ruleFields, Next: name }).refine(isOneRule, ONE_RULE)).min(1),
  Default: name.optional(),
});

function operandOf(operator: string): z.ZodType {
  if (operator.endsWith('Path')) return path;
  if (operator.startsWith('String')) return z.string();
  if (operator.startsWith('Numeric')) return z.number();
  if (operator.startsWith('Timestamp'))
    return z.string().refine((text) => parseTimestamp(text) !== undefined, 'must be an RFC 3339 time');
  return z.boolean();
}

function isOneRule(rule: Record<string, unknown>): boolean {
  const given = ['And', 'Or', 'Not', ...COMPARISON_OPERATORS].filter((field) => rule[field] !== undefined);
  const [only] = given;
  return given.length === 1 && COMPARISON_OPERATORS.includes(only ?? '') === (rule.Variable !== undefined);
}

const succeed = z.strictObject({ Type: z.literal('Succeed'), ...common });
const fail = z
  .strictObject({
    Type: z.literal('Fail'),
    Comment: z.string().optional(),
    Error: z.string().optional(),
    ErrorPath: z.string().optional(),
    Cause: z.string().optional(),
    CausePath: z.string().optional(),
  })
  .refine(...atMostOne('Error', 'ErrorPath'))
  .refine(...atMostOne('Cause', 'CausePath'));

const states = {
  Comment: z.string().optional(),
  StartAt: name,
  States: z.record(
    name,
    z.lazy((): z.ZodType => state),
  ),
};

const inlineMap = {
  Type: z.literal('Map'),
  ...common,
  ...transition,
  ...result,
  ...recovery,
  ItemsPath: path.optional(),
  ItemSelector: template.optional(),
  MaxConcurrency: count.optional(),
  MaxConcurrencyPath: path.optional(),
};

const distributedOnly = {
  ItemReader: z
    .strictObject({
      Resource: only('arn:aws:states:::s3:getObject'),
      Parameters: template,
      ReaderConfig: z
        .strictObject({
          InputType: only('JSON', 'JSONL'),
          MaxItems: count.optional(),
          MaxItemsPath: path.optional(),
        })
        .refine(...atMostOne('MaxItems', 'MaxItemsPath')),
    })
    .optional(),
  ItemBatcher: z
    .strictObject({
      MaxItemsPerBatch: count.min(1).optional(),
      MaxItemsPerBatchPath: path.optional(),
      // "up to 256 KiB" (developer guide, ItemBatcher).
      MaxInputBytesPerBatch: count.min(1).max(MAX_PAYLOAD_BYTES).optional(),
      MaxInputBytesPerBatchPath: path.optional(),
      BatchInput: template.optional(),
    })
    .refine(...atMostOne('MaxItemsPerBatch', 'MaxItemsPerBatchPath'))
    .refine(...atMostOne('MaxInputBytesPerBatch', 'MaxInputBytesPerBatchPath'))
    .refine(
      ({ BatchInput: _, ...limits }) => Object.values(limits).some((limit) => limit !== undefined),
      'a batch needs a limit',
    )
    .optional(),
  ResultWriter: z
    .strictObject({ Resource: only('arn:aws:states:::s3:putObject'), Parameters: template })
    .optional(),
  ToleratedFailureCount: count.optional(),
  ToleratedFailureCountPath: path.optional(),
  ToleratedFailurePercentage: z.number().min(0).max(100).optional(),
  ToleratedFailurePercentagePath: path.optional(),
  // "Labels can't exceed 40 characters", and may have none of these (developer guide, Distributed Map).
  Label: z
    .string()
    .min(1)
    .max(40)
    .regex(/^[^\s?*<>{}[\]:;,\\|^~$#%&`"\p{Cc}]+$/u)
    .optional(),
};

const processorConfig = z.discriminatedUnion('Mode', [
  z.strictObject({ Mode: z.literal('INLINE') }),
  z.strictObject({ Mode: z.literal('DISTRIBUTED'), ExecutionType: only('STANDARD') }),
]);

const map = z
  .strictObject({
    ...inlineMap,
    ...distributedOnly,
    ItemProcessor: z.strictObject({ ...states, ProcessorConfig: processorConfig.optional() }),
  })
  .refine(...atMostOne('MaxConcurrency', 'MaxConcurrencyPath'))
  .refine(...atMostOne('ToleratedFailureCount', 'ToleratedFailureCountPath'))
  .refine(...atMostOne('ToleratedFailurePercentage', 'ToleratedFailurePercentagePath'))
  .superRefine((state, issue) => {
    if (state.ItemProcessor.ProcessorConfig?.Mode === 'DISTRIBUTED') return;
    for (const field of Object.keys(distributedOnly) as (keyof typeof distributedOnly)[])
      if (state[field] !== undefined)
        issue.addIssue({ code: 'custom', path: [field], message: 'is for a Map of mode DISTRIBUTED only' });
  });

const parallel = z.strictObject({
  Type: z.literal('Parallel'),
  ...common,
  ...transition,
  ...result,
  ...recovery,
  Parameters: template.optional(),
  Branches: z.array(z.strictObject(states)).min(1),
});

const state = z.discriminatedUnion('Type', [task, pass, wait, choice, map, parallel, succeed, fail]);

const machine = z.strictObject({
  ...states,
  Version: z.literal('1.0').optional(),
  QueryLanguage: only('JSONPath').optional(),
  TimeoutSeconds: positiveSeconds.optional(),
});

/** Throws an InvalidDefinitionError that names state and field, where a definition holds anything else. */
export function assertSupported(definition: unknown): void {
  const { error } = machine.safeParse(definition);
  if (error === undefined) return;
  throw new InvalidDefinitionError(error.issues.flatMap(describeIssue).join('; '));
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  const keys = issue.path.map(String);
  const stateAt = keys.lastIndexOf('States') + 1;
  const where = stateAt > 0 && keys.length > stateAt ? `State "${keys[stateAt]}"` : 'State machine';
  const inside = keys.slice(stateAt > 0 ? stateAt + 1 : 0);
  const say = (fields: string[], message: string) =>
    fields.length === 0 ? `${where}: ${message}` : `${where}, field "${fields.join('.')}": ${message}`;
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => say([...inside, key], 'not supported by this engine'));
  return [say(inside, issue.message)];
}
