import { createUuid } from '../data/intrinsic-functions.ts';
import { prepareCount } from '../data/number-field.ts';
import type { MapState } from '../definition/amazon-states-language.ts';
import type { Preparation, StateWork, Visit } from '../definition/prepared-state.ts';
import { errorDetails } from '../history.ts';
import { FailureWithin, inField, StateError } from '../state-error.ts';
import { prepareItemBatcher } from './item-batcher.ts';
import { prepareItemReader, type ReadItems } from './item-reader.ts';
import { prepareItemSelector, prepareItemsPath } from './map-items.ts';
import { type MapRun, type MapRunWork, runChildren } from './map-run.ts';
import { prepareResults } from './result-writer.ts';
import { prepareToleratedFailure } from './tolerated-failure.ts';

/** "10,000 parallel child workflow executions" (developer guide, Distributed Map). */
const MAX_DISTRIBUTED_CONCURRENCY = 10_000;

/** The parsed fields of a Distributed Map. */
type MapFields = ReturnType<typeof prepareFields>;

/** Runs an execution of its own for each item or batch. */
export function prepareDistributedMap(state: MapState, preparation: Preparation): StateWork {
  const { stateName } = preparation;
  const fields = prepareFields(state, preparation);
  return async ({ data }, visit) => {
    const { history } = visit.frame;
    const limit = Math.min(
      fields.maxConcurrency(data, visit) || MAX_DISTRIBUTED_CONCURRENCY,
      MAX_DISTRIBUTED_CONCURRENCY,
    );
    const source = fields.findItems(data, visit);
    history.record({ type: 'MapStateStarted', stateName, length: source.knownLength });
    const hasFailed = fields.toleratedFailure(data, visit);
    const readItems = source.open();
    const run = openMapRun(fields, visit);
    history.record({ type: 'MapRunStarted', stateName, mapRunArn: run.arn });
    const result = await settleMapRun(run, { visit, stateName }, async () => {
      const items = await readItems();
      const results = fields.openResults(data, visit, run.arn);
      const children = fields.batchItems(fields.selectItems(items, data, visit), data, visit);
      const work: MapRunWork = { children, itemCount: items.length, limit, hasFailed, results };
      return runChildren(run, work);
    });
    history.record({ type: 'MapRunSucceeded', stateName, mapRunArn: run.arn });
    history.record({ type: 'MapStateSucceeded', stateName });
    return result;
  };
}

function prepareFields(state: MapState, { stateName, prepareStates, runStates }: Preparation) {
  return {
    processor: inField('ItemProcessor', () => prepareStates(state.ItemProcessor)),
    runStates,
    findItems: prepareItemSource(state),
    selectItems: prepareItemSelector(state),
    batchItems: prepareItemBatcher(state.ItemBatcher),
    openResults: prepareResults(state.ResultWriter),
    maxConcurrency: prepareCount(state, 'MaxConcurrency'),
    toleratedFailure: prepareToleratedFailure(state),
    label: state.Label ?? stateName.replaceAll(/[^\w-]+/g, '-').slice(0, 40),
  };
}

/** Where the items come from. */
interface ItemSource {
  /** 0 for an ItemReader, as Step Functions writes it into the history. */
  knownLength: number;
  open: () => ReadItems;
}

/** An ItemReader, which leaves ItemsPath unread; else the input. */
function prepareItemSource(state: MapState): (data: unknown, visit: Visit) => ItemSource {
  const findItems = prepareItemsPath(state);
  if (state.ItemReader === undefined)
    return (data, visit) => {
      const items = findItems(data, visit);
      return { knownLength: items.length, open: () => async () => items };
    };
  const openReader = prepareItemReader(state.ItemReader);
  return (data, visit) => ({ knownLength: 0, open: () => openReader(data, visit) });
}

function openMapRun({ processor, runStates, label }: MapFields, { frame }: Visit): MapRun {
  const { context, deps } = frame;
  const childMachine = `${context.StateMachine.Name}/${label}`;
  const arnBase = context.StateMachine.Id.replace(/:stateMachine:.*/, '');
  const arn = `${arnBase}:mapRun:${childMachine}:${createUuid(deps.random)}`;
  const runFrame = { ...frame, scope: frame.scope.fork() };
  return { arn, childMachine, processor, runStates, frame: runFrame, parent: frame.scope.signal };
}

/** Carries out a Map Run, and records how it ended where that was not well. */
async function settleMapRun(
  run: MapRun,
  { visit, stateName }: { visit: Visit; stateName: string },
  work: () => Promise<unknown>,
): Promise<unknown> {
  const { scope, history } = visit.frame;
  try {
    const result = await work();
    scope.signal.throwIfAborted();
    return result;
  } catch (error) {
    if (scope.signal.aborted) history.record({ type: 'MapRunAborted', stateName, mapRunArn: run.arn });
    else if (error instanceof StateError) {
      history.record({ type: 'MapRunFailed', stateName, mapRunArn: run.arn, ...errorDetails(error) });
      throw new FailureWithin(error.message, { cause: error });
    }
    throw error;
  } finally {
    run.frame.scope.release();
  }
}
