import { InvalidDefinitionError } from '../state-error.ts';
import { runStates } from '../states/run-states.ts';
import type { StateMachineDefinition, States } from './amazon-states-language.ts';
import { assertSupported } from './definition-schema.ts';
import { prepareState } from './prepare-state.ts';
import type { PreparedState, PreparedStates } from './prepared-state.ts';

/** Checks a definition and parses every path, template and rule in it. Throws an InvalidDefinitionError. */
export function prepareDefinition(definition: StateMachineDefinition): PreparedStates {
  try {
    assertSupported(definition);
    return prepareStates(definition, new Set());
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InvalidDefinitionError('State machine: it is nested too deeply', { cause: error });
  }
}

function prepareStates({ StartAt, States }: States, namesSeen: Set<string>): PreparedStates {
  const states = new Map<string, PreparedState>();
  const assertState = (name: string) => {
    if (!Object.hasOwn(States, name))
      throw new InvalidDefinitionError(
        `there is no state "${name}" to go to; there are ${Object.keys(States).join(', ')}`,
      );
  };
  assertState(StartAt);
  for (const [stateName, state] of Object.entries(States)) {
    try {
      if (namesSeen.has(stateName)) throw new InvalidDefinitionError('another state has the same name');
      namesSeen.add(stateName);
      for (const name of targetsOf(state)) assertState(name);
      const nested = (inner: States) => prepareStates(inner, namesSeen);
      states.set(stateName, prepareState(state, { stateName, prepareStates: nested, runStates }));
    } catch (error) {
      if (!(error instanceof InvalidDefinitionError) || error.message.startsWith('State "')) throw error;
      throw new InvalidDefinitionError(`State "${stateName}": ${error.message}`, { cause: error });
    }
  }
  assertReachable({ StartAt, States });
  return { startAt: StartAt, states };
}

/** Step Functions refuses a state that nothing leads to. */
function assertReachable({ StartAt, States }: States): void {
  const reached = new Set([StartAt]);
  for (const name of reached)
    for (const target of targetsOf(States[name] as States['States'][string])) reached.add(target);
  const lost = Object.keys(States).find((name) => !reached.has(name));
  if (lost !== undefined) throw new InvalidDefinitionError(`State "${lost}": no state leads to it`);
}

function targetsOf(state: States['States'][string]): string[] {
  const targets: string[] = [];
  if ('Next' in state && state.Next !== undefined) targets.push(state.Next);
  if ('Catch' in state) targets.push(...(state.Catch ?? []).map(({ Next }) => Next));
  if (state.Type === 'Choice') {
    targets.push(...state.Choices.map(({ Next }) => Next));
    if (state.Default !== undefined) targets.push(state.Default);
  }
  return targets;
}
