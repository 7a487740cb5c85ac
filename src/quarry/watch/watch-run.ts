import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { findRun, readRun } from '../../runs/run-store.ts';
import { resultColumnsOfRun } from '../../steps/plan/result-columns-of-run.ts';
import { plannedRunOf } from '../../steps/run/read-plan.ts';
import type { RunFiles } from '../../targets/run-files.ts';
import { isOnStack } from '../runs/run-on-stack.ts';
import { type AnswerReader, createAnswerReader, type ShownAnswer } from './newest-answers.ts';
import { addSample, type PaceSample } from './pace.ts';
import { type Looked, looksAt, openRunLook } from './run-look.ts';
import { doneOfParts, recordsOf } from './watch-parts.ts';
import { type WatchView, watchViewOf } from './watch-view.ts';

/** How a run is watched. */
export interface WatchOptions {
  /** Ends the watching; the run goes on. */
  signal?: AbortSignal | undefined;
  /** Milliseconds between two looks. @default 1,000 for a local run, else 5,000 */
  everyMs?: number | undefined;
}

/** Milliseconds between two looks: those at AWS cost a few requests each. */
export const EVERY_MS = { local: 1_000, bedrock: 5_000, aws: 5_000 } as const;
/** Answers that are kept. */
const MAX_ANSWERS = 50;

/**
 * Watches a run from its files and jobs until it has ended, in whatever process or on whatever machine it runs: one view for each
 * look. It reads, and nothing else: no file is written, nothing is sent. A run that nobody is working on is watched on, as it may
 * be taken up again.
 */
export async function* watchRun(
  runId: string,
  { files, signal, everyMs }: { files: RunFiles; signal: AbortSignal; everyMs: number | undefined },
): AsyncGenerator<WatchView, void> {
  // Where there is no such run, that is said; one on a stack may not be planned yet.
  if (!isOnStack(files)) await findRun(files, runId);
  else await readRun(files, runId);
  await using look = await openRunLook(runId, files);
  const memory = new Memory(runId, files, look.layout);
  const pace = everyMs ?? EVERY_MS[files.target.kind];
  for await (const looked of looksAt(look, { everyMs: pace, signal })) {
    const view = 'fault' in looked ? memory.withFault(looked.fault) : await memory.viewOf(looked);
    if (view === undefined) continue;
    yield view;
    if (view.hasEnded) return;
  }
}

/** What one look leaves for the next one. */
class Memory {
  readonly #runId: string;
  readonly #files: RunFiles;
  readonly #layout: RunLayout;
  #samples: PaceSample[] = [];
  #answers: ShownAnswer[] = [];
  #reader: AnswerReader | undefined;
  #last: WatchView | undefined;

  constructor(runId: string, files: RunFiles, layout: RunLayout) {
    this.#runId = runId;
    this.#files = files;
    this.#layout = layout;
  }

  async viewOf(looked: Looked): Promise<WatchView> {
    const { snapshot } = looked;
    const atMs = Date.now();
    const sample = { atMs, done: recordsOf(snapshot).done, ofParts: doneOfParts(snapshot) };
    this.#samples = addSample(this.#samples, sample);
    if (snapshot.plan !== null) await this.#readAnswers(snapshot.plan, looked);
    this.#last = watchViewOf({
      ...looked,
      runId: this.#runId,
      atMs,
      target: this.#files.target.kind,
      samples: this.#samples,
      answers: this.#answers,
    });
    return this.#last;
  }

  /** The last view, with what kept another one from being made. */
  withFault({ message }: Error): WatchView | undefined {
    if (this.#last === undefined) return undefined;
    return { ...this.#last, at: new Date().toISOString(), notices: [message, ...this.#last.notices] };
  }

  async #readAnswers(plan: RunPlan, { snapshot }: Looked): Promise<void> {
    this.#reader ??= readerOf(plan, this.#layout, this.#files);
    const all = Object.values(snapshot.parts);
    const atWork = all.filter(({ state }) => state === 'running' || state === 'collecting');
    // What has ended meanwhile may have left answers that nobody has seen.
    const ended = all.filter(({ result }) => result !== null).slice(-2);
    const parts = [...atWork, ...ended].map(({ part }) => part);
    const fresh = (await this.#reader?.read(parts)) ?? [];
    if (fresh.length > 0) this.#answers = [...fresh, ...this.#answers].slice(0, MAX_ANSWERS);
  }
}

/** Undefined where the plan is one that this version cannot read answers for: the rest is shown all the same. */
function readerOf(plan: RunPlan, layout: RunLayout, { store }: RunFiles): AnswerReader | undefined {
  try {
    const { variants } = plannedRunOf(plan, layout);
    const columns = variants.map(({ input, call }) => resultColumnsOfRun(input, call));
    return createAnswerReader({ layout, columns }, store);
  } catch {
    return undefined;
  }
}
