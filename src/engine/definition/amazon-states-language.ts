/**
 * The part of the Amazon States Language (JSONPath) that the engine reads, and that the workflow is written in.
 * Source: https://states-language.net/spec.html and the Step Functions developer guide.
 */
export interface StateMachineDefinition extends States {
  Version?: '1.0';
  QueryLanguage?: 'JSONPath';
  /** Seconds the whole execution may take. */
  TimeoutSeconds?: number;
}

/** States by their name, and where to begin. */
export interface States {
  Comment?: string;
  StartAt: string;
  States: { [stateName: string]: State };
}

/** One state; `Type` tells which. */
export type State =
  | TaskState
  | PassState
  | ChoiceState
  | WaitState
  | MapState
  | ParallelState
  | SucceedState
  | FailState;

/** A JSON object in which a field `name.$` holds a path or an intrinsic function. */
export type PayloadTemplate = { readonly [field: string]: unknown };

/** Where the execution goes on, or that it ends here. */
export type Transition = { Next: string; End?: never } | { End: true; Next?: never };

interface StateBase {
  Comment?: string;
  /** A path into the state's raw input; null for an empty object. */
  InputPath?: string | null;
  /** A path into what would be the state's output; null for an empty object. */
  OutputPath?: string | null;
}

interface ResultFields {
  ResultSelector?: PayloadTemplate;
  /** A reference path into the raw input; null drops the result. */
  ResultPath?: string | null;
}

interface RecoveryFields {
  Retry?: readonly Retrier[];
  Catch?: readonly Catcher[];
}

/** When, and how often, a failed state is tried again. */
export interface Retrier {
  Comment?: string;
  ErrorEquals: readonly string[];
  /** Seconds before the first retry; 1 unless given. */
  IntervalSeconds?: number;
  /** Retries, not attempts; 3 unless given, 0 for never. */
  MaxAttempts?: number;
  /** What the interval is multiplied by at each retry; 2 unless given. */
  BackoffRate?: number;
  /** Seconds that no interval exceeds. */
  MaxDelaySeconds?: number;
  JitterStrategy?: 'FULL' | 'NONE';
}

/** Where the execution goes on after an error that no retry has mended. */
export interface Catcher {
  Comment?: string;
  ErrorEquals: readonly string[];
  Next: string;
  /** Where `{ Error, Cause }` goes in the state's raw input; null drops it. */
  ResultPath?: string | null;
}

/** One unit of work, done by a service or a function. */
export type TaskState = StateBase &
  ResultFields &
  RecoveryFields &
  Transition & {
    Type: 'Task';
    Resource: string;
    Parameters?: PayloadTemplate;
    TimeoutSeconds?: number;
    TimeoutSecondsPath?: string;
  };

/** Passes its input on, changed or not. */
export type PassState = StateBase &
  Transition & {
    Type: 'Pass';
    Result?: unknown;
    Parameters?: PayloadTemplate;
    ResultPath?: string | null;
  };

/** Waits for a time or until one. Exactly one of the four fields is given. */
export type WaitState = StateBase &
  Transition & {
    Type: 'Wait';
    Seconds?: number;
    SecondsPath?: string;
    /** RFC 3339. */
    Timestamp?: string;
    TimestampPath?: string;
  };

/** Goes on at the first rule that holds. */
export interface ChoiceState extends StateBase {
  Type: 'Choice';
  Choices: readonly ChoiceBranch[];
  Default?: string;
}

/** A rule, and where to go where it holds. */
export type ChoiceBranch = ChoiceRule & { Next: string; Comment?: string };

/** A condition over the state's input. */
export type ChoiceRule =
  | { And: readonly ChoiceRule[] }
  | { Or: readonly ChoiceRule[] }
  | { Not: ChoiceRule }
  | Comparison<StringOperator | TimestampOperator | 'StringMatches', string>
  | Comparison<`${StringOperator | TimestampOperator | NumericOperator | 'BooleanEquals'}Path`, string>
  | Comparison<NumericOperator, number>
  | Comparison<'BooleanEquals' | TypeTest, boolean>;

type Comparison<Operator extends string, Value> = {
  [O in Operator]: { Variable: string } & { [Field in O]: Value };
}[Operator];

type Relation = 'Equals' | 'LessThan' | 'GreaterThan' | 'LessThanEquals' | 'GreaterThanEquals';
type StringOperator = `String${Relation}`;
type NumericOperator = `Numeric${Relation}`;
type TimestampOperator = `Timestamp${Relation}`;
type TypeTest = 'IsNull' | 'IsPresent' | 'IsNumeric' | 'IsString' | 'IsBoolean' | 'IsTimestamp';

/** Runs the same states for each item: inline, or each in an execution of its own. */
export type MapState = StateBase &
  ResultFields &
  RecoveryFields &
  Transition & {
    Type: 'Map';
    ItemProcessor: ItemProcessor;
    ItemsPath?: string;
    ItemSelector?: PayloadTemplate;
    /** 0: as many as Step Functions allows. */
    MaxConcurrency?: number;
    MaxConcurrencyPath?: string;
    // The rest is for DISTRIBUTED only.
    ItemReader?: ItemReader;
    ItemBatcher?: ItemBatcher;
    ResultWriter?: ResultWriter;
    ToleratedFailureCount?: number;
    ToleratedFailureCountPath?: string;
    /** 0 to 100. */
    ToleratedFailurePercentage?: number;
    ToleratedFailurePercentagePath?: string;
    /** At most 40 characters; part of the children's ARNs. */
    Label?: string;
  };

/** What a Map runs for each item. */
export interface ItemProcessor extends States {
  ProcessorConfig?: { Mode: 'INLINE' } | { Mode: 'DISTRIBUTED'; ExecutionType: 'STANDARD' };
}

/** Items from an object in S3, instead of from the state's input. */
export interface ItemReader {
  Resource: 'arn:aws:states:::s3:getObject';
  /** Bucket and Key. */
  Parameters: PayloadTemplate;
  ReaderConfig: {
    InputType: 'JSON' | 'JSONL';
    /** Reads no more than this many items. */
    MaxItems?: number;
    MaxItemsPath?: string;
  };
}

/** Hands items to the children in batches: `{ BatchInput, Items }`. */
export interface ItemBatcher {
  MaxItemsPerBatch?: number;
  MaxItemsPerBatchPath?: string;
  MaxInputBytesPerBatch?: number;
  MaxInputBytesPerBatchPath?: string;
  BatchInput?: PayloadTemplate;
}

/** Writes the children's results to S3, instead of into the state's output. */
export interface ResultWriter {
  Resource: 'arn:aws:states:::s3:putObject';
  /** Bucket and Prefix. */
  Parameters: PayloadTemplate;
}

/** Runs several state machines on the same input, and gives their outputs as an array. */
export type ParallelState = StateBase &
  ResultFields &
  RecoveryFields &
  Transition & {
    Type: 'Parallel';
    Branches: readonly States[];
    Parameters?: PayloadTemplate;
  };

/** Ends the execution well. */
export interface SucceedState extends StateBase {
  Type: 'Succeed';
}

/** Ends the execution with an error. */
export interface FailState {
  Type: 'Fail';
  Comment?: string;
  Error?: string;
  /** A path, or an intrinsic function that gives a string. */
  ErrorPath?: string;
  Cause?: string;
  /** A path, or an intrinsic function that gives a string. */
  CausePath?: string;
}
