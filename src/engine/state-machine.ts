import type { StateMachineDefinition } from './definition/amazon-states-language.ts';
import { prepareDefinition } from './definition/prepare-definition.ts';
import type { PreparedStates } from './definition/prepared-state.ts';

/** A definition that has been checked and parsed, for any number of executions. */
export interface StateMachine {
  /** Stands in ARNs and in `$$.StateMachine.Name`. */
  readonly name: string;
  /** Seconds that an execution may take. */
  readonly timeoutSeconds: number | undefined;
  readonly states: PreparedStates;
}

/**
 * Checks a definition and parses every path, template and rule in it. Throws an InvalidDefinitionError that names
 * state and field where the engine would not run it as Step Functions does.
 */
export function createStateMachine(
  definition: StateMachineDefinition,
  { name = 'StateMachine' }: { name?: string } = {},
): StateMachine {
  const states = prepareDefinition(definition);
  return { name, timeoutSeconds: definition.TimeoutSeconds, states };
}
