/** `quarry/engine`: an interpreter of Amazon States Language within this process. It knows nothing of Bedrock. */

export { type Clock, createVirtualClock, systemClock } from '../core/clock.ts';
export type {
  Catcher,
  ChoiceBranch,
  ChoiceRule,
  ChoiceState,
  FailState,
  ItemBatcher,
  ItemProcessor,
  ItemReader,
  MapState,
  ParallelState,
  PassState,
  PayloadTemplate,
  ResultWriter,
  Retrier,
  State,
  StateMachineDefinition,
  States,
  SucceedState,
  TaskState,
  WaitState,
} from './definition/amazon-states-language.ts';
export type { MapObjects, TaskCall } from './definition/prepared-state.ts';
export { type ExecutionOptions, type ExecutionResult, runExecution } from './execution.ts';
export type { HistoryEvent } from './history.ts';
export { InvalidDefinitionError } from './state-error.ts';
export { createStateMachine, type StateMachine } from './state-machine.ts';
