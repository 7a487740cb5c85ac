import { prepareNumber } from '../data/number-field.ts';
import type { MapState } from '../definition/amazon-states-language.ts';
import type { Preparation, StateWork } from '../definition/prepared-state.ts';
import { errorDetails } from '../history.ts';
import { itemContext, prepareItemSelector, prepareItemsPath } from '../map/map-items.ts';
import { forEachInPool } from '../pool.ts';
import { inField, StateError } from '../state-error.ts';

/** "up to 40 concurrent iterations" (developer guide, Inline Map). */
const MAX_INLINE_CONCURRENCY = 40;

/** Runs an iteration for each item within the execution; the first that fails ends the others. */
export function prepareInlineMap(
  state: MapState,
  { stateName, prepareStates, runStates }: Preparation,
): StateWork {
  const processor = inField('ItemProcessor', () => prepareStates(state.ItemProcessor));
  const findItems = prepareItemsPath(state);
  const selectItems = prepareItemSelector(state);
  const maxConcurrency = prepareNumber(state, 'MaxConcurrency');
  return async ({ data }, visit) => {
    const { frame } = visit;
    const { history } = frame;
    const items = findItems(data, visit);
    const limit = Math.min(maxConcurrency(data, visit) || MAX_INLINE_CONCURRENCY, MAX_INLINE_CONCURRENCY);
    history.record({ type: 'MapStateStarted', stateName, length: items.length });
    const scope = frame.scope.fork();
    const outputs: unknown[] = new Array(items.length);
    try {
      await forEachInPool(selectItems(items, data, visit), {
        limit: Math.min(limit, items.length),
        work: async ({ index, value, input }) => {
          history.record({ type: 'MapIterationStarted', stateName, index });
          const context = { ...frame.context, ...itemContext(index, value) };
          try {
            outputs[index] = await runStates(processor, input, { ...frame, scope, context });
          } catch (error) {
            const type = scope.signal.aborted ? 'MapIterationAborted' : 'MapIterationFailed';
            if (!frame.scope.signal.aborted) history.record({ type, stateName, index });
            throw error;
          }
          history.record({ type: 'MapIterationSucceeded', stateName, index });
        },
        onFailure: (error) => scope.abort(error),
      });
    } catch (error) {
      if (error instanceof StateError && !frame.scope.signal.aborted)
        history.record({ type: 'MapStateFailed', stateName, ...errorDetails(error) });
      throw error;
    } finally {
      scope.release();
    }
    history.record({ type: 'MapStateSucceeded', stateName });
    return outputs;
  };
}
