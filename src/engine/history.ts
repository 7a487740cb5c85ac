import { runtimeError, type StateError } from './state-error.ts';

/** "Maximum execution history size: 25,000 events" (Step Functions quotas). */
export const MAX_HISTORY_EVENTS = 25_000;

type StateType = 'Task' | 'Pass' | 'Choice' | 'Wait' | 'Map' | 'Parallel' | 'Succeed' | 'Fail';

/** How something failed. Without `error` where a Fail state gave none. */
interface ErrorDetails {
  error?: string;
  cause?: string;
}

/** What one event of an execution's history says, under the name that Step Functions gives it. */
export type HistoryEventDetails =
  /** Children of a Distributed Map also tell whose they are: the Map Run, and the first item of their input. */
  | { type: 'ExecutionStarted'; input: unknown; mapRunArn?: string; itemIndex?: number }
  | { type: 'ExecutionSucceeded'; output: unknown }
  | ({ type: 'ExecutionFailed' | 'ExecutionTimedOut' | 'ExecutionAborted' } & ErrorDetails)
  | { type: `${StateType}StateEntered`; stateName: string; input: unknown }
  | { type: `${Exclude<StateType, 'Fail'>}StateExited`; stateName: string; output: unknown }
  | {
      type: 'TaskScheduled';
      stateName: string;
      resource: string;
      parameters: unknown;
      timeoutInSeconds?: number;
    }
  | { type: 'TaskStarted'; stateName: string; resource: string }
  | { type: 'TaskSucceeded'; stateName: string; resource: string; output: unknown }
  | ({ type: 'TaskFailed' | 'TaskTimedOut'; stateName: string; resource: string } & ErrorDetails)
  | {
      type: 'LambdaFunctionScheduled';
      stateName: string;
      resource: string;
      input: unknown;
      timeoutInSeconds?: number;
    }
  | { type: 'LambdaFunctionStarted'; stateName: string }
  | { type: 'LambdaFunctionSucceeded'; stateName: string; output: unknown }
  | ({ type: 'LambdaFunctionFailed' | 'LambdaFunctionTimedOut'; stateName: string } & ErrorDetails)
  | { type: 'MapStateStarted'; stateName: string; length: number }
  | { type: 'MapStateSucceeded' | 'ParallelStateStarted' | 'ParallelStateSucceeded'; stateName: string }
  | ({ type: 'MapStateFailed' | 'ParallelStateFailed'; stateName: string } & ErrorDetails)
  | { type: 'MapIterationStarted' | 'MapIterationSucceeded'; stateName: string; index: number }
  | { type: 'MapIterationFailed' | 'MapIterationAborted'; stateName: string; index: number }
  | { type: 'MapRunStarted' | 'MapRunSucceeded' | 'MapRunAborted'; stateName: string; mapRunArn: string }
  | ({ type: 'MapRunFailed'; stateName: string; mapRunArn: string } & ErrorDetails);

/** One event of one execution's history. */
export type HistoryEvent = HistoryEventDetails & {
  /** From 1, in each execution. */
  id: number;
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  timestamp: number;
  executionName: string;
};

/** Numbers the events of one execution, and hands them on; keeps none. */
export class History {
  readonly #executionName: string;
  readonly #now: () => number;
  readonly #onEvent: ((event: HistoryEvent) => void) | undefined;
  #lastId = 0;
  #closed = false;

  constructor(
    executionName: string,
    options: { now: () => number; onEvent?: (event: HistoryEvent) => void },
  ) {
    this.#executionName = executionName;
    this.#now = options.now;
    this.#onEvent = options.onEvent;
  }

  /** Gives the event's id. Throws States.Runtime where only the event that ends the execution has room left. */
  record(details: HistoryEventDetails): number {
    if (this.#closed) return this.#lastId;
    if (this.#lastId >= MAX_HISTORY_EVENTS - 1)
      throw runtimeError(
        `The execution reached the maximum number of history events (${MAX_HISTORY_EVENTS}).`,
      );
    this.#hand(details);
    return this.#lastId;
  }

  /** Records the event that ends the execution. Whatever comes later is dropped. */
  close(details: HistoryEventDetails): void {
    if (this.#closed) return;
    this.#hand(details);
    this.#closed = true;
  }

  #hand(details: HistoryEventDetails): void {
    this.#lastId += 1;
    this.#onEvent?.({
      ...details,
      id: this.#lastId,
      timestamp: this.#now(),
      executionName: this.#executionName,
    });
  }
}

/** Error and Cause as an event's fields. */
export function errorDetails({ error, causeText }: StateError): ErrorDetails {
  return { ...(error !== '' && { error }), ...(causeText !== undefined && { cause: causeText }) };
}
