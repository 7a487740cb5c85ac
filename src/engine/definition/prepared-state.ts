import type { Clock } from '../../core/clock.ts';
import type { AbortScope } from '../abort-scope.ts';
import type { Expression } from '../data/intrinsic-expression.ts';
import type { Scope } from '../data/json-path.ts';
import type { History, HistoryEvent } from '../history.ts';
import type { Catcher, Retrier, State, States } from './amazon-states-language.ts';

/** A call that a Task state asks for. */
export interface TaskCall {
  /** As written in the definition, such as `arn:aws:states:::lambda:invoke`. */
  resource: string;
  /** A copy: the task may do with it what it likes. */
  parameters: unknown;
  /** Aborted with the execution, and at the task's timeout. */
  signal: AbortSignal;
  stateName: string;
  executionName: string;
}

/** The object store, as far as Distributed Maps need it. */
export interface MapObjects {
  getObject(bucket: string, key: string): Promise<Uint8Array>;
  putObject(bucket: string, key: string, body: string): Promise<void>;
}

/** What the states of an execution need of the world. */
export interface EngineDeps {
  /**
   * Carries out a Task. An error's `name` is what ErrorEquals matches. Its Cause is the error's own `cause`
   * where that is a string; else, for `lambda:invoke`, the JSON `{ errorType, errorMessage }` that a function
   * would give; else its message.
   */
  runTask: (task: TaskCall) => Promise<unknown>;
  objects: MapObjects;
  clock: Clock;
  /** In [0, 1), for Retry's jitter, States.MathRandom and UUIDs. */
  random: () => number;
  onEvent?: (event: HistoryEvent) => void;
}

/** The context object (`$$`). */
export interface ContextObject {
  Execution: {
    Id: string;
    Input: unknown;
    Name: string;
    RoleArn: string;
    StartTime: string;
    RedriveCount: number;
  };
  StateMachine: { Id: string; Name: string };
  State?: {
    Name: string;
    EnteredTime: string;
    /** Of a Task, Map or Parallel state. */
    RetryCount?: number;
  };
  Map?: { Item: { Index: number; Value: unknown } };
}

/** Where a state runs: an execution, or one iteration or branch in it. */
export interface Frame {
  deps: EngineDeps;
  executionName: string;
  history: History;
  scope: AbortScope;
  /** Without State, which each visit adds. */
  context: ContextObject;
}

/** One visit to a state. */
export interface Visit {
  frame: Frame;
  context: ContextObject;
}

/** What paths and intrinsic functions see at a visit. */
export function scopeOf(data: unknown, { context, frame }: Visit): Scope {
  return { data, context, random: frame.deps.random };
}

/** Does a state's own work: from its effective input, and that input through Parameters, to its result. */
export type StateWork = (
  input: { data: unknown; parameters: unknown },
  visit: Visit,
) => Promise<unknown> | unknown;

/** A state whose paths, templates and rules have been parsed. */
export interface PreparedState {
  name: string;
  type: State['Type'];
  selectInput: Expression;
  parameters: Expression | undefined;
  work: StateWork;
  selectResult: Expression | undefined;
  /** Puts the result into the raw input. */
  placeResult: (rawInput: unknown, result: unknown) => unknown;
  selectOutput: Expression;
  /** The state after this one; undefined at the end. */
  next: (data: unknown, visit: Visit) => string | undefined;
  retriers: readonly Retrier[];
  catchers: readonly (Catcher & { place: (rawInput: unknown, error: unknown) => unknown })[];
}

/** States that have been prepared. */
export interface PreparedStates {
  startAt: string;
  states: ReadonlyMap<string, PreparedState>;
}

/** What preparing one state may use. */
export interface Preparation {
  stateName: string;
  /** Prepares nested states: an ItemProcessor or a branch. */
  prepareStates: (states: States) => PreparedStates;
  /** Runs prepared states to their end. */
  runStates: (states: PreparedStates, input: unknown, frame: Frame) => Promise<unknown>;
}
