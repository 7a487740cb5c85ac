import pLimit from 'p-limit';
import { DamagedFileError, NotSupportedError } from '../../core/errors.ts';
import { ledgerRowsOf, modelsOf } from '../../core/plan/run-plan.ts';
import { type KnownRun, listKnownRuns } from '../../runs/known-runs.ts';
import { readSnapshot } from '../../runs/run-files-watch.ts';
import { totalsOf } from '../../runs/run-snapshot.ts';
import { listRuns, type RunCondition, readRun, type StoredRun, standingOf } from '../../runs/run-store.ts';
import { placeOf } from '../../runs/run-target.ts';
import { lastExecutions } from '../../targets/aws/run-status.ts';
import { openRunFiles, type RunFiles } from '../../targets/run-files.ts';
import { openStack } from '../open-stack.ts';
import { isOnStack, type StackFiles } from './run-on-stack.ts';

/** Runs that are looked at at once. */
const CONCURRENT_RUNS = 16;
/** Milliseconds that another place has to tell of its runs: somebody looks at the screen. */
const ANSWER_DEADLINE_MS = 8_000;

/** Of a run that was not read. */
const UNKNOWN = { rows: null, answered: null, cost_usd: null, billed: null, model: null, started: null };

/** A run in a list; null is what is not known. */
export interface ListedRun {
  run_id: string;
  /** `local`, or the bucket; empty where the word of it is damaged. */
  at: string;
  status: RunCondition | 'damaged' | null;
  rows: number | null;
  /** So far, where it has not ended; so are the dollars. */
  answered: number | null;
  /** Dollars by the price table. */
  cost_usd: number | null;
  /** False where no AWS account pays: then they are what Bedrock would take. */
  billed: boolean | null;
  model: string | null;
  started: string | null;
  /** Of a run that cannot be read: which file is damaged and what to do, or why the place could not be asked. */
  fault?: string;
}

/** The runs of a place, the newest first, and then those of other places that this machine remembers, as these tell of them. */
export async function listAllRuns(
  files: RunFiles,
  { elsewhere }: { elsewhere: boolean },
): Promise<{ at: string; runs: ListedRun[] }> {
  const at = placeOf(files.target);
  const executions = await executionsOf(files);
  const { runs, damaged } = await listRuns(files);
  const stored = await pLimit(CONCURRENT_RUNS).map(runs, (run) => listed(run, files, executions));
  const known = elsewhere ? await listKnownRuns(files.dir) : { runs: [], damaged: [] };
  const places = Map.groupBy(
    known.runs.filter(({ target }) => placeOf(target) !== at),
    ({ target }) => placeOf(target),
  );
  const others = await Promise.all([...places.values()].map((remembered) => askPlace(remembered, files.dir)));
  const forgotten = known.damaged.filter(({ run_id }) => !runs.some(({ plan }) => plan.run_id === run_id));
  const unreadable = [
    ...damaged.map((run) => ({ ...run, at })),
    // Where it is was in the file.
    ...forgotten.map((run) => ({ ...run, at: '' })),
  ].map(({ run_id, fault, at: place }) => damagedRun({ run_id, at: place }, fault.message));
  return { at, runs: [...stored, ...unreadable, ...others.flat()] };
}

/** What one other place tells of the runs that are remembered of it; where it does not answer, that is said, and no more is known. */
async function askPlace(remembered: readonly KnownRun[], dir: string): Promise<ListedRun[]> {
  const named = remembered.map(({ run_id, target }) => ({ run_id, at: placeOf(target) }));
  const [first] = remembered;
  if (first === undefined) return [];
  using files = openRunFiles(first.target, dir);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error('It does not answer.')), ANSWER_DEADLINE_MS);
  const deadline = Promise.withResolvers<never>();
  late.signal.addEventListener('abort', () => deadline.reject(late.signal.reason));
  try {
    const asked = readRemembered(named, files);
    // Once it is too late nobody waits for it any more.
    asked.catch(() => {});
    return await Promise.race([asked, deadline.promise]);
  } catch (error) {
    const fault = `${named[0]?.at} could not be asked for its runs. ${(error as Error).message}`;
    return named.map((run, index) => ({
      ...run,
      ...UNKNOWN,
      status: null,
      ...(index === 0 ? { fault } : {}),
    }));
  } finally {
    clearTimeout(timer);
  }
}

async function readRemembered(
  named: readonly Pick<ListedRun, 'run_id' | 'at'>[],
  files: RunFiles,
): Promise<ListedRun[]> {
  const executions = await executionsOf(files);
  return pLimit(CONCURRENT_RUNS).map(named, async (run): Promise<ListedRun> => {
    try {
      const stored = await readRun(files, run.run_id);
      return stored === undefined
        ? { ...run, ...UNKNOWN, status: null, fault: `Run ${run.run_id} is not in ${run.at} any more.` }
        : await listed(stored, files, executions);
    } catch (error) {
      if (!(error instanceof DamagedFileError) && !(error instanceof NotSupportedError)) throw error;
      return damagedRun(run, error.message);
    }
  });
}

function damagedRun(run: Pick<ListedRun, 'run_id' | 'at'>, fault: string): ListedRun {
  return { ...run, ...UNKNOWN, status: 'damaged', fault };
}

/** What is said of a run that can be read. */
async function listed(
  run: StoredRun,
  files: RunFiles,
  executions: ReadonlyMap<string, string>,
): Promise<ListedRun> {
  const { plan, summary } = run;
  return {
    run_id: plan.run_id,
    at: placeOf(files.target),
    status:
      conditionOnStack(summary === undefined ? executions.get(plan.run_id) : undefined) ??
      (await standingOf(run, files.store)).condition,
    rows: ledgerRowsOf(plan),
    ...(summary === undefined
      ? await countsSoFar(run, files)
      : {
          answered: summary.rows.succeeded,
          cost_usd: summary.cost_usd,
          billed: summary.billed ?? !summary.simulated,
        }),
    model: modelsOf(plan),
    started: plan.created_at,
  };
}

async function countsSoFar(
  { layout }: StoredRun,
  { store, target }: RunFiles,
): Promise<Pick<ListedRun, 'answered' | 'cost_usd' | 'billed'>> {
  const billed = target.kind !== 'local';
  try {
    const snapshot = await readSnapshot({ layout, store, isPaid: billed, waitingOf: async () => undefined });
    const { rows, costUsd } = totalsOf(snapshot);
    return { answered: rows.succeeded, cost_usd: costUsd, billed };
  } catch (error) {
    // The run itself can be read, and one of many files must not hide it.
    if (!(error instanceof DamagedFileError)) throw error;
    return { answered: null, cost_usd: null, billed };
  }
}

/** What became of the last execution of each run of a stack: `running`, or how it failed; what has succeeded has a summary. */
async function executionsOf(files: RunFiles): Promise<Map<string, string>> {
  return isOnStack(files) ? executionStates(files) : new Map<string, string>();
}

async function executionStates(files: StackFiles): Promise<Map<string, string>> {
  await using target = await openStack(files.target);
  const executions = await lastExecutions(target);
  return new Map([...executions].map(([runId, { status }]) => [runId, status.toLowerCase()]));
}

/** What a run is, by the status of its last execution; undefined where its files say more. */
function conditionOnStack(status: string | undefined): RunCondition | undefined {
  switch (status) {
    case 'running':
    case 'failed':
      return status;
    case 'timed_out':
      return 'failed';
    default:
      return undefined;
  }
}
