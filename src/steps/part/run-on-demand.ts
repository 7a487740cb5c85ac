import pLimit from 'p-limit';
import { z } from 'zod';
import { DamagedFileError, ServiceUnavailableError } from '../../core/errors.ts';
import type { PartTurn } from '../../core/plan/part.ts';
import type { Variant } from '../../core/plan/run-plan.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { linesOf } from '../../core/text/lines.ts';
import { runLayout } from '../../runs/run-layout.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import type { StepDeps } from '../deps.ts';
import { refuseIfCancelled } from '../run/cancellation.ts';
import { type PlannedRun, readPlan, variantOf } from '../run/read-plan.ts';
import { overBudget } from '../waves/decide-wave.ts';
import { type AnswerKeeper, createAnswerKeeper } from './answer-keeper.ts';
import { createOnDemandCounter, type OnDemandCounter } from './on-demand-progress.ts';
import { requirePartFiles } from './part-files.ts';
import { sayingWhy } from './part-waiting.ts';
import { type Ask, createPatientAsker } from './patient-asker.ts';

/** Invocations in flight at once: kind to an on-demand quota that others use too. */
const CONCURRENT_INVOCATIONS = 4;

/**
 * Milliseconds after which a call asks for nothing more and leaves the rest to the next one: a Lambda function that
 * reaches its 15 minutes would lose the answers under way.
 */
const ASKS_FOR_MS = 600_000;

const InputRecord = z.object({ recordId: z.string(), modelInput: z.record(z.string(), z.unknown()) });
type InputRecord = z.infer<typeof InputRecord>;

/**
 * Runs the records of a part one by one, with the body that a job would have had, and leaves its output where
 * and as a job would, one file a record. Each answer is kept as soon as it is there: a repeated call asks only for the rest.
 * Once the run has been stopped, or could cost more than it may, it asks for nothing. Where it has to be tried again, it says
 * why.
 */
export function runOnDemand(part: PartTurn, deps: StepDeps): Promise<{ records: number }> {
  const { part_id: partId, run_uri } = part;
  const uri = runLayout(run_uri).onDemandWaiting(partId);
  return sayingWhy({ partId, uri }, () => askForAll(part, deps), deps);
}

async function askForAll(part: PartTurn, deps: StepDeps): Promise<{ records: number }> {
  const run = await readPlan(part.run_uri, deps);
  const { layout, input } = run;
  const { model } = variantOf(run, part);
  const isDone = (await deps.store.head(layout.ledger(part.part_id))) !== undefined;
  const isStopped = (await deps.store.head(layout.stop)) !== undefined;
  if (isDone || isStopped || overBudget(part, input.max_cost_usd) !== undefined) return { records: 0 };
  await requirePartFiles(part.part_id, ['records'], { layout, store: deps.store });
  const records: InputRecord[] = [];
  for await (const line of linesOf(await deps.store.readStream(layout.records(part.part_id)))) {
    records.push(InputRecord.parse(JSON.parse(line.toString())));
  }
  const limit = pLimit(CONCURRENT_INVOCATIONS);
  const keeper = createAnswerKeeper(deps);
  const { part_id: partId } = part;
  const { onProgress = () => {} } = deps;
  let since: string | undefined;
  const ask: Ask =
    deps.settings.modelServer === undefined
      ? deps.bedrock.invoke
      : createPatientAsker(deps, (error, message) => {
          since ??= new Date(deps.clock.now()).toISOString();
          onProgress({ kind: 'waiting', partId, error, message, since });
        });
  const counter = createOnDemandCounter(records.length, deps.clock, (progress) =>
    onProgress({ kind: 'on_demand', partId, ...progress }),
  );
  const until = deps.clock.now() + ASKS_FOR_MS;
  let asked = 0;
  const mayAsk = () => {
    asked += 1;
    // Whatever the clock says, each call comes a step further.
    return asked <= CONCURRENT_INVOCATIONS || deps.clock.now() < until;
  };
  // Every call has ended before this one does: a repeated call must not meet answers still under way.
  const settled = await Promise.allSettled(
    records.map((record, index) =>
      limit(() => askOnce(record, { run, model, partId, index, keeper, mayAsk, ask, counter }, deps)),
    ),
  );
  keeper.throwIfLost();
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return { records: records.length };
}

interface AnswerPlace {
  run: PlannedRun;
  partId: string;
  index: number;
  model: Variant['model'];
  keeper: AnswerKeeper;
  /** False once the call has asked for long enough. */
  mayAsk: () => boolean;
  ask: Ask;
  counter: OnDemandCounter;
}

async function askOnce(
  record: InputRecord,
  { run, model, partId, index, keeper, mayAsk, ask, counter }: AnswerPlace,
  { store }: StepDeps,
): Promise<void> {
  const uri = run.layout.onDemandAnswer(partId, index);
  if ((await store.head(uri)) !== undefined) return counter.count(await outcomeIn(uri, store), false);
  await refuseIfCancelled(run.layout, store);
  if (!(await keeper.isSound())) return;
  if (!mayAsk()) {
    throw new ServiceUnavailableError(
      `The answers of part ${partId} take long: the next call asks for the rest.`,
    );
  }
  const result = await ask(model.model_id, model.invocation_type, record.modelInput);
  const answer =
    result.kind === 'answered'
      ? { ...record, modelOutput: result.modelOutput }
      : { ...record, error: { errorCode: result.errorCode, errorMessage: result.errorMessage } };
  await keeper.keep(uri, `${JSON.stringify(answer)}\n`);
  counter.count(result.kind, true);
}

/** How a record ended that an earlier call asked for. */
async function outcomeIn(uri: S3Uri, store: ObjectStore): Promise<'answered' | 'failed'> {
  const text = Buffer.from(await store.read(uri)).toString();
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch (cause) {
    const place = store.localPath?.(uri) ?? uri;
    throw new DamagedFileError(
      `${place} is damaged: it should be an answer that was paid for, and is not JSON. Restore it from a copy, or delete it and start the run again: the answer is asked for again, and paid for again.`,
      { cause },
    );
  }
  return Object.hasOwn(Object(line), 'error') ? 'failed' : 'answered';
}
