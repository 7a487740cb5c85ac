import { assertPayloadFits } from '../data/payload.ts';
import {
  type ContextObject,
  type Frame,
  type PreparedState,
  type PreparedStates,
  scopeOf,
  type Visit,
} from '../definition/prepared-state.ts';
import { errorDetails } from '../history.ts';
import { FailureWithin, runtimeError, StateError } from '../state-error.ts';
import { matchesError, nextRetryDelayMs, type RetryLedger } from './retry.ts';

const RETRIABLE_TYPES: ReadonlySet<string> = new Set(['Task', 'Map', 'Parallel']);

/** Runs states from StartAt until one ends, and gives its output. Throws a StateError, or the abort's reason. */
export async function runStates(machine: PreparedStates, input: unknown, frame: Frame): Promise<unknown> {
  let data = input;
  let stateName: string | undefined = machine.startAt;
  while (stateName !== undefined) {
    frame.scope.signal.throwIfAborted();
    const state = machine.states.get(stateName) as PreparedState;
    const visited: Visited = await visitState(state, data, frame);
    data = visited.output;
    stateName = visited.next;
  }
  return data;
}

/** How a visit ended well: what goes on to which state. */
interface Visited {
  output: unknown;
  /** Undefined at the end. */
  next: string | undefined;
}

/** What a visit's failures are told with. */
interface Failure {
  rawInput: unknown;
  frame: Frame;
  /** Id of the event that the state was entered by. */
  enteredId: number;
  thrown: StateError | FailureWithin;
}

async function visitState(state: PreparedState, rawInput: unknown, frame: Frame): Promise<Visited> {
  const { deps, history, scope } = frame;
  const type = `${state.type}StateEntered` as const;
  const enteredId = history.record({ type, stateName: state.name, input: rawInput });
  const State = createStateContext(state, deps.clock.now());
  const visit: Visit = { frame, context: { ...frame.context, State } };
  const ledger: RetryLedger = { counts: [] };
  for (;;) {
    try {
      return exit(state, frame, await attempt(state, rawInput, visit));
    } catch (thrown) {
      const error = thrown instanceof FailureWithin ? thrown.cause : thrown;
      if (scope.signal.aborted || !(error instanceof StateError)) throw error;
      const delayMs = nextRetryDelayMs(state.retriers, ledger, { error, random: deps.random });
      if (delayMs === undefined)
        return recover(state, { rawInput, frame, enteredId, thrown: thrown as Failure['thrown'] });
      State.RetryCount = (State.RetryCount ?? 0) + 1;
      await deps.clock.sleep(delayMs, scope.signal);
    }
  }
}

/** `$$.State`, with a count of retries for the types of state that can be retried. */
function createStateContext(state: PreparedState, enteredMs: number): NonNullable<ContextObject['State']> {
  return {
    Name: state.name,
    // Few states look at it, and a run has millions of visits.
    get EnteredTime() {
      return new Date(enteredMs).toISOString();
    },
    ...(RETRIABLE_TYPES.has(state.type) && { RetryCount: 0 }),
  };
}

/** One try: input through work to output. */
async function attempt(state: PreparedState, rawInput: unknown, visit: Visit): Promise<Visited> {
  const data = state.selectInput(scopeOf(rawInput, visit));
  const parameters = state.parameters === undefined ? data : state.parameters(scopeOf(data, visit));
  const result = await state.work({ data, parameters }, visit);
  const selected = state.selectResult === undefined ? result : state.selectResult(scopeOf(result, visit));
  const placed = state.placeResult(rawInput, selected);
  const output = state.selectOutput(scopeOf(placed, visit));
  if (output !== rawInput) assertPayloadFits(output, `The state/task '${state.name}' returned a result`);
  return { output, next: state.next(data, visit) };
}

/** Goes on where a catcher says, or passes the error up. */
function recover(state: PreparedState, { rawInput, frame, enteredId, thrown }: Failure): Visited {
  const error = thrown instanceof FailureWithin ? thrown.cause : thrown;
  if (thrown instanceof FailureWithin) {
    const type = state.type === 'Map' ? 'MapStateFailed' : 'ParallelStateFailed';
    frame.history.record({ type, stateName: state.name, ...errorDetails(error) });
  }
  const catcher = state.catchers.find(({ ErrorEquals }) => matchesError(ErrorEquals, error));
  if (catcher === undefined) throw located(error, { stateName: state.name, enteredId });
  // Step Functions binds an empty text where there is no cause.
  const output = catcher.place(rawInput, { Error: error.error, Cause: error.causeText ?? '' });
  return exit(state, frame, { output, next: catcher.Next });
}

function exit(state: PreparedState, { history }: Frame, visited: Visited): Visited {
  if (state.type !== 'Fail')
    history.record({ type: `${state.type}StateExited`, stateName: state.name, output: visited.output });
  return visited;
}

/** Says in which state a States.Runtime error arose, as Step Functions does. */
function located(error: StateError, { stateName, enteredId }: { stateName: string; enteredId: number }) {
  const prefix = 'An error occurred while executing the state';
  if (error.error !== 'States.Runtime' || error.causeText?.startsWith(prefix)) return error;
  return runtimeError(`${prefix} '${stateName}' (entered at the event id #${enteredId}). ${error.causeText}`);
}
