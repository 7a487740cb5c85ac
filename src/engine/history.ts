import { StateError } from './state-error.ts';

/** "Maximum execution history size: 25,000 events" (Step Functions quotas). */
export const MAX_HISTORY_EVENTS = 25_000;

type StateType = 'Task' | 'Pass' | 'Choice' | 'Wait' | 'Map' | 'Parallel' | 'Succeed' | 'Fail';

/** What one event of an execution's history says, under the name that Step Functions gives it. */
export type HistoryEventDetails =
  /** Children of a Distributed Map also tell whose they are: the Map Run, and the first item of their input. */
  | { type: 'ExecutionStarted'; input: unknown; mapRunArn?: string; itemIndex?: number }
  | { type: 'ExecutionSucceeded'; output: unknown }
  | { type: 'ExecutionFailed' | 'ExecutionTimedOut' | 'ExecutionAborted'; error?: string; cause?: string }
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
  | {
      type: 'TaskFailed' | 'TaskTimedOut';
      stateName: string;
      resource: string;
      error: string;
      cause?: string;
    }
  | { type: 'MapStateStarted'; stateName: string; length: number }
  | { type: 'MapStateSucceeded' | 'ParallelStateStarted' | 'ParallelStateSucceeded'; stateName: string }
  | { type: 'MapStateFailed' | 'ParallelStateFailed'; stateName: string; error: string; cause?: string }
  | { type: 'MapIterationStarted' | 'MapIterationSucceeded'; stateName: string; index: number }
  | { type: 'MapIterationFailed' | 'MapIterationAborted'; stateName: string; index: number }
  | { type: 'MapRunStarted' | 'MapRunSucceeded' | 'MapRunAborted'; stateName: string; mapRunArn: string }
  | { type: 'MapRunFailed'; stateName: string; mapRunArn: string; error: string; cause?: string };

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

  /** Throws States.Runtime where only the event that ends the execution has room left. */
  record(details: HistoryEventDetails): void {
    if (this.#closed) return;
    if (this.#lastId >= MAX_HISTORY_EVENTS - 1)
      throw new StateError(
        'States.Runtime',
        `The execution reached the maximum number of history events (${MAX_HISTORY_EVENTS}).`,
      );
    this.#hand(details);
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
export function errorDetails({ error, causeText }: StateError): { error: string; cause?: string } {
  return causeText === undefined ? { error } : { error, cause: causeText };
}
