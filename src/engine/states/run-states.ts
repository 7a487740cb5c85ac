import { assertPayloadFits } from '../data/payload.ts';
import type { Frame, PreparedState, PreparedStates, Visit } from '../definition/prepared-state.ts';
import { StateError } from '../state-error.ts';
import { matchesError, nextRetryDelayMs, type RetryLedger } from './retry.ts';

/** Runs states from StartAt until one ends, and gives its output. Throws a StateError, or the abort's reason. */
export async function runStates(machine: PreparedStates, input: unknown, frame: Frame): Promise<unknown> {
  let data = input;
  let stateName: string | undefined = machine.startAt;
  while (stateName !== undefined) {
    frame.scope.signal.throwIfAborted();
    const state = machine.states.get(stateName) as PreparedState;
    const visited: { output: unknown; next: string | undefined } = await visitState(state, data, frame);
    data = visited.output;
    stateName = visited.next;
  }
  return data;
}

async function visitState(state: PreparedState, rawInput: unknown, frame: Frame) {
  const { deps, history, scope } = frame;
  history.record({ type: `${state.type}StateEntered`, stateName: state.name, input: rawInput });
  const enteredMs = deps.clock.now();
  const State = {
    Name: state.name,
    RetryCount: 0,
    // Few states look at it, and a run has millions of visits.
    get EnteredTime() {
      return new Date(enteredMs).toISOString();
    },
  };
  const visit: Visit = { frame, context: { ...frame.context, State } };
  const ledger: RetryLedger = { counts: [] };
  for (;;) {
    try {
      return exit(state, frame, await attempt(state, rawInput, visit));
    } catch (thrown) {
      if (scope.signal.aborted || !(thrown instanceof StateError)) throw thrown;
      const { error } = thrown;
      const delayMs = nextRetryDelayMs(state.retriers, ledger, { error, random: deps.random });
      if (delayMs === undefined) return recover(state, { rawInput, frame, thrown });
      State.RetryCount += 1;
      await deps.clock.sleep(delayMs, scope.signal);
    }
  }
}

/** One try: input through work to output. */
async function attempt(state: PreparedState, rawInput: unknown, visit: Visit) {
  const { context } = visit;
  const { random } = visit.frame.deps;
  const data = state.selectInput({ data: rawInput, context, random });
  const parameters = state.parameters === undefined ? data : state.parameters({ data, context, random });
  const result = await state.work({ data, parameters }, visit);
  const selected =
    state.selectResult === undefined ? result : state.selectResult({ data: result, context, random });
  const placed = state.placeResult(rawInput, selected);
  const output = state.selectOutput({ data: placed, context, random });
  if (output !== rawInput) assertPayloadFits(output, `The state/task '${state.name}' returned a result`);
  return { output, next: state.next(data, visit) };
}

/** Goes on where a catcher says, or passes the error up. */
function recover(
  state: PreparedState,
  { rawInput, frame, thrown }: { rawInput: unknown; frame: Frame; thrown: StateError },
) {
  const catcher = state.catchers.find(({ ErrorEquals }) => matchesError(ErrorEquals, thrown.error));
  if (catcher === undefined) throw located(thrown, state.name);
  // Step Functions binds an empty text where a Fail state gave no cause.
  const output = catcher.place(rawInput, { Error: thrown.error, Cause: thrown.causeText ?? '' });
  return exit(state, frame, { output, next: catcher.Next });
}

function exit<T extends { output: unknown }>(state: PreparedState, { history }: Frame, visited: T): T {
  if (state.type !== 'Fail')
    history.record({ type: `${state.type}StateExited`, stateName: state.name, output: visited.output });
  return visited;
}

/** Says in which state a States.Runtime error arose, as Step Functions does. */
function located(error: StateError, stateName: string): StateError {
  const prefix = 'An error occurred while executing the state';
  if (error.error !== 'States.Runtime' || error.causeText?.startsWith(prefix)) return error;
  return new StateError(error.error, `${prefix} '${stateName}'. ${error.causeText}`);
}
