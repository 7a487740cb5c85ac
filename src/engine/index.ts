/** `quarry/engine`: an interpreter of Amazon States Language within this process. */

export { type Clock, systemClock } from '../core/clock.ts';
export type { StateMachineDefinition } from './definition/amazon-states-language.ts';
export { prepareDefinition } from './definition/prepare-definition.ts';
export type { EngineDeps, MapObjects, TaskCall } from './definition/prepared-state.ts';
export {
  type EngineOptions,
  type ExecutionRequest,
  type ExecutionResult,
  runExecution,
} from './execution.ts';
export type { HistoryEvent } from './history.ts';
export { InvalidDefinitionError, StateError } from './state-error.ts';
