import { createUuid } from '../data/intrinsic-functions.ts';
import { prepareNumber } from '../data/number-field.ts';
import type { MapState } from '../definition/amazon-states-language.ts';
import type { Preparation, StateWork, Visit } from '../definition/prepared-state.ts';
import { errorDetails } from '../history.ts';
import { forEachInPool } from '../pool.ts';
import { inField, StateError } from '../state-error.ts';
import { type MapRun, runChild } from './child-execution.ts';
import { prepareItemBatcher } from './item-batcher.ts';
import { prepareItemReader } from './item-reader.ts';
import { prepareItemSelector, prepareItemsPath } from './map-items.ts';
import { prepareResultWriter } from './result-writer.ts';
import { prepareToleratedFailure } from './tolerated-failure.ts';

/** "10,000 parallel child workflow executions" (developer guide, Distributed Map). */
const MAX_DISTRIBUTED_CONCURRENCY = 10_000;

/** Runs an execution of its own for each item or batch. */
export function prepareDistributedMap(
  state: MapState,
  { stateName, prepareStates, runStates }: Preparation,
): StateWork {
  const { ItemReader, ResultWriter } = state;
  const processor = inField('ItemProcessor', () => prepareStates(state.ItemProcessor));
  const findItems = prepareItemsPath(state);
  const readItems = ItemReader === undefined ? undefined : prepareItemReader(ItemReader);
  const selectItems = prepareItemSelector(state);
  const batchItems = prepareItemBatcher(state.ItemBatcher);
  const openResultFiles = ResultWriter === undefined ? undefined : prepareResultWriter(ResultWriter);
  const maxConcurrency = prepareNumber(state, 'MaxConcurrency');
  const toleratedFailure = prepareToleratedFailure(state);
  const label = state.Label ?? stateName.replaceAll(/[^\w-]+/g, '-').slice(0, 40);

  const runChildren = async (
    data: unknown,
    { visit, mapRun, given }: { visit: Visit; mapRun: MapRun; given: readonly unknown[] | undefined },
  ) => {
    const limit = maxConcurrency(data, visit) || MAX_DISTRIBUTED_CONCURRENCY;
    const hasFailed = toleratedFailure(data, visit);
    const items = given ?? (await readItems?.(data, visit)) ?? [];
    const files = openResultFiles?.(data, visit, mapRun.arn);
    const outputs: unknown[] = [];
    let childCount = 0;
    let failedItems = 0;
    const numbered = function* () {
      for (const child of batchItems(selectItems(items, data, visit), data, visit))
        yield { child, position: childCount++ };
    };
    try {
      await forEachInPool(numbered(), {
        limit: Math.min(limit, MAX_DISTRIBUTED_CONCURRENCY, items.length),
        work: async ({ child, position }) => {
          const { output, result } = await runChild(child, mapRun);
          if (files === undefined) outputs[position] = result.Status === 'SUCCEEDED' ? output : result;
          else await files.add(result);
          // An aborted child is no failure of its own: whatever ended it ends the Map Run.
          mapRun.frame.scope.signal.throwIfAborted();
          if (result.Status === 'FAILED') failedItems += child.itemCount;
          if (hasFailed(failedItems, items.length)) throw exceeded();
        },
        onFailure: (error) => mapRun.frame.scope.abort(error),
      });
    } catch (error) {
      if (!visit.frame.scope.signal.aborted) await files?.finish();
      throw error;
    }
    return files === undefined ? outputs : files.finish();
  };

  return async ({ data }, visit) => {
    const { history, deps, context } = visit.frame;
    const given = readItems === undefined ? findItems(data, visit) : undefined;
    const childMachine = `${context.StateMachine.Name}/${label}`;
    const arnBase = context.StateMachine.Id.replace(/:stateMachine:.*/, '');
    const mapRunArn = `${arnBase}:mapRun:${childMachine}:${createUuid(deps.random)}`;
    const scope = visit.frame.scope.fork();
    const mapRun = { arn: mapRunArn, childMachine, processor, runStates, frame: { ...visit.frame, scope } };
    history.record({ type: 'MapStateStarted', stateName, length: given?.length ?? 0 });
    history.record({ type: 'MapRunStarted', stateName, mapRunArn });
    try {
      const result = await runChildren(data, { visit, mapRun, given });
      visit.frame.scope.signal.throwIfAborted();
      history.record({ type: 'MapRunSucceeded', stateName, mapRunArn });
      history.record({ type: 'MapStateSucceeded', stateName });
      return result;
    } catch (error) {
      if (visit.frame.scope.signal.aborted) history.record({ type: 'MapRunAborted', stateName, mapRunArn });
      else if (error instanceof StateError) {
        history.record({ type: 'MapRunFailed', stateName, mapRunArn, ...errorDetails(error) });
        history.record({ type: 'MapStateFailed', stateName, ...errorDetails(error) });
      }
      throw error;
    } finally {
      scope.release();
    }
  };
}

function exceeded(): StateError {
  return new StateError(
    'States.ExceedToleratedFailureThreshold',
    'The specified tolerated failure threshold was exceeded',
  );
}
