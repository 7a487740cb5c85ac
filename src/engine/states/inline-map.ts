import type { AbortScope } from '../abort-scope.ts';
import { prepareCount } from '../data/number-field.ts';
import type { MapState } from '../definition/amazon-states-language.ts';
import type { Frame, Preparation, PreparedStates, StateWork } from '../definition/prepared-state.ts';
import { itemContext, type MapItem, prepareItemSelector, prepareItemsPath } from '../map/map-items.ts';
import { runTogether } from '../run-together.ts';
import { inField } from '../state-error.ts';

/** "up to 40 concurrent iterations" (developer guide, Inline Map). */
const MAX_INLINE_CONCURRENCY = 40;

/** What the iterations of one visit share. */
interface Iterations {
  stateName: string;
  processor: PreparedStates;
  runStates: Preparation['runStates'];
  frame: Frame;
}

/** Runs an iteration for each item within the execution; the first that fails ends the others. */
export function prepareInlineMap(
  state: MapState,
  { stateName, prepareStates, runStates }: Preparation,
): StateWork {
  const processor = inField('ItemProcessor', () => prepareStates(state.ItemProcessor));
  const findItems = prepareItemsPath(state);
  const selectItems = prepareItemSelector(state);
  const maxConcurrency = prepareCount(state, 'MaxConcurrency');
  return async ({ data }, visit) => {
    const { frame } = visit;
    const items = findItems(data, visit);
    const limit = Math.min(maxConcurrency(data, visit) || MAX_INLINE_CONCURRENCY, MAX_INLINE_CONCURRENCY);
    frame.history.record({ type: 'MapStateStarted', stateName, length: items.length });
    const outputs: unknown[] = new Array(items.length);
    const iterations = { stateName, processor, runStates, frame };
    await runTogether(selectItems(items, data, visit), {
      limit: Math.min(limit, items.length),
      parent: frame.scope,
      work: async (item, scope) => {
        outputs[item.index] = await runIteration(item, scope, iterations);
      },
    });
    frame.history.record({ type: 'MapStateSucceeded', stateName });
    return outputs;
  };
}

async function runIteration(
  { index, value, input }: MapItem,
  scope: AbortScope,
  { stateName, processor, runStates, frame }: Iterations,
): Promise<unknown> {
  const { history } = frame;
  history.record({ type: 'MapIterationStarted', stateName, index });
  const context = { ...frame.context, ...itemContext(index, value) };
  try {
    const output = await runStates(processor, input, { ...frame, scope, context });
    history.record({ type: 'MapIterationSucceeded', stateName, index });
    return output;
  } catch (error) {
    const type = scope.signal.aborted ? 'MapIterationAborted' : 'MapIterationFailed';
    if (!frame.scope.signal.aborted) history.record({ type, stateName, index });
    throw error;
  }
}
