import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { RunSummary } from '../../core/run/summary.ts';
import type { QuarryEvent, Tell } from '../quarry-event.ts';
import { createEventLog, type EventLog } from './event-log.ts';

/** What every work on a run may be given. */
export interface FollowOptions {
  /** Stops the run cleanly, or on AWS the following of it; the same request, or `resume`, goes on. */
  signal?: AbortSignal | undefined;
  /** Called with each event as it happens; what it throws stops the run. */
  onProgress?: ((event: QuarryEvent) => void) | undefined;
}

/** How a run has ended. */
export interface RunEnd {
  summary: RunSummary;
  /** The result files, as other programs can open them: paths of this machine, or S3 URIs. */
  files: readonly string[];
  /** Its report, likewise; null where there is none. */
  report: string | null;
}

/** Does a run's work, and tells of it. */
export type RunWork = (tell: Tell, signal: AbortSignal) => Promise<RunEnd>;

/** A run that is planned and goes on by itself: an async iterable of its events, which throws where it fails. */
export class Run<Columns = Record<string, unknown>> implements AsyncIterable<QuarryEvent> {
  /** The columns that its schema adds to the results; there for the types alone. */
  declare readonly columnTypes?: Columns;
  /** Its `run_id`: by it the run is found again, resumed and cancelled. */
  readonly id: string;
  /** All that was decided before anything was sent; undefined where it may not be read. */
  readonly plan: RunPlan | undefined;
  /** How it ended, or one of the named errors. */
  readonly result: Promise<RunSummary>;
  /** The result files, once it has ended. */
  readonly files: Promise<readonly string[]>;
  readonly #events: EventLog<QuarryEvent>;

  /** Made by `quarry.run`, `resume` and `follow`. */
  constructor(id: string, { plan, end, events }: RunParts) {
    this.id = id;
    this.plan = plan;
    this.result = quiet(end.then(({ summary }) => summary));
    this.files = quiet(end.then(({ files }) => files));
    this.#events = events;
  }

  /** Its events, from `planned` on for the first reader; ends with the run, and throws what it failed with. */
  async *[Symbol.asyncIterator](): AsyncGenerator<QuarryEvent, void> {
    yield* this.#events.read();
    await this.result;
  }
}

interface RunParts {
  plan: RunPlan | undefined;
  end: Promise<RunEnd>;
  events: EventLog<QuarryEvent>;
}

/** Begins the work; resolves once the run is planned, rejects where it is refused or stopped before. */
export async function beginRun<Columns>(
  work: RunWork,
  { signal, onProgress }: FollowOptions,
): Promise<Run<Columns>> {
  const events = createEventLog<QuarryEvent>();
  const planned = Promise.withResolvers<RunPlan>();
  const broken = new AbortController();
  const tell: Tell = (event) => {
    events.push(event);
    try {
      onProgress?.(event);
    } catch (error) {
      broken.abort(error);
    }
    if (event.kind === 'planned' && !broken.signal.aborted) planned.resolve(event.plan);
  };
  const stop = AbortSignal.any([broken.signal, ...(signal === undefined ? [] : [signal])]);
  const end = work(tell, stop)
    .catch((error: unknown) => {
      throw broken.signal.aborted ? broken.signal.reason : error;
    })
    .finally(() => events.close());
  const plan = await Promise.race([planned.promise, end.then(() => undefined)]);
  return new Run<Columns>(plan?.run_id ?? (await end).summary.run_id, { plan, end, events });
}

/** A promise that may be left alone: whoever awaits it gets its error all the same. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
