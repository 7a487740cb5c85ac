import { join } from 'node:path';
import { z } from 'zod';
import { messageOfCause } from '../../core/error-cause.ts';
import { DamagedFileError, LedgerMismatchError } from '../../core/errors.ts';
import type { JobManifest } from '../../core/jobs/job-manifest.ts';
import { WaveItem } from '../../core/plan/part.ts';
import { answeredHere, isBalanced, isFinal, PartLedger, type TokenCounts } from '../../core/run/ledger.ts';
import type { RunStop } from '../../core/run/run-stop.ts';
import { collectPart } from '../../rows/collect/collect-part.ts';
import { ownOutputOf, type RunLayout } from '../../runs/run-layout.ts';
import { factsOf } from '../../store/file-facts.ts';
import { readJsonIfPresent, writeJson, writeJsonIfAbsent } from '../../store/json-object.ts';
import type { ObjectInfo } from '../../store/object-store.ts';
import { keepPart, keepsAnswers } from '../answers/keep-part.ts';
import type { StepDeps } from '../deps.ts';
import { withLocalFiles } from '../plan/dataset-files.ts';
import { resultColumnsOfRepair, resultColumnsOfRun } from '../plan/result-columns-of-run.ts';
import { retryPolicyOf } from '../run/plan-retry-policy.ts';
import { type PlannedRun, readPlan, variantOf } from '../run/read-plan.ts';
import { faultOfTurn } from '../waves/systematic-fault.ts';
import { readWave } from '../waves/turns.ts';
import { endOfPart, TurnFault } from './part-end.ts';
import { leavingWord } from './part-fault.ts';
import { requirePartFiles } from './part-files.ts';
import { inPartScratch } from './part-scratch.ts';

/** A part whose turn is over, and the fault that kept it from a job, if one did. */
export const CollectInput = z.object({
  part: WaveItem,
  fault: TurnFault.optional(),
});
export type CollectInput = z.infer<typeof CollectInput>;

/** What Collect leaves in the state machine: the part's counts. */
export const CollectResult = PartLedger.pick({ part_id: true, rows: true });
export type CollectResult = z.infer<typeof CollectResult>;

/**
 * Joins whatever the part's job left (all, some or nothing) to the part's rows by record id, and writes the
 * result and the part's ledger. Every row ends in it.
 */
export function collect(input: CollectInput, deps: StepDeps): Promise<CollectResult> {
  return leavingWord(input.part, deps, () => collectTurn(input, deps));
}

async function collectTurn(input: CollectInput, deps: StepDeps): Promise<CollectResult> {
  const { run_uri, part_id } = input.part;
  const { layout, ...run } = await readPlan(run_uri, deps);
  const done = await readJsonIfPresent(deps.store, layout.ledger(part_id), PartLedger);
  if (done !== undefined) return { part_id, rows: done.rows };
  return inPartScratch(
    { doing: 'collect', runId: run.plan.run_id, part: input.part },
    deps,
    (scratchDirectory) => collectInto(scratchDirectory, { ...input, run: { layout, ...run } }, deps),
  );
}

async function collectInto(
  scratchDirectory: string,
  { part, fault, run }: CollectInput & { run: PlannedRun },
  deps: StepDeps,
): Promise<CollectResult> {
  const { store } = deps;
  const { layout } = run;
  const { input, call } = variantOf(run, part);
  const { part_id } = part;
  const isRepair = part.repair;
  // Its rows were not sent, but will be, once somebody has mended it.
  if (fault?.Error === new DamagedFileError().name) {
    throw new DamagedFileError(messageOfCause(fault.Cause) ?? fault.Error);
  }
  const end = await endOfPart({ part, fault, run }, deps);
  await requirePartFiles(part_id, ['rows'], { layout, store });
  const resultPath = join(scratchDirectory, 'result.parquet');
  const { outputs, manifest } = end.files;
  const rowsInfo: ObjectInfo = { uri: layout.rows(part_id), size: 0, etag: '' };
  const { owed, answered, wasTried, ...collected } = await withLocalFiles(
    [rowsInfo, ...outputs],
    store,
    ([rows, ...local]) =>
      collectPart({
        rowsPath: rows?.path ?? '',
        outputPaths: local.map(({ path }) => path),
        columns: (isRepair ? resultColumnsOfRepair : resultColumnsOfRun)(input, call),
        retry: retryPolicyOf(run),
        isHeldToSchema: call.schemaForm === 'native' && part.schema_form === undefined,
        unanswered: end.unanswered,
        resultPath,
        scratchDirectory,
      }),
  );
  if (!isBalanced(collected.rows)) {
    throw new LedgerMismatchError(
      `The ledger of part ${part_id} does not add up: ${JSON.stringify(collected.rows)}.`,
    );
  }
  const ledger: PartLedger = {
    part_id,
    wave: part.wave,
    ...collected,
    tokens: paidTokens(collected.tokens, manifest),
    ...end.job,
    tried: wasTried ? part.records : answered,
    uncounted: countUncounted(
      collected,
      { answered, tried: wasTried ? part.records : answered },
      end.job,
      manifest,
    ),
    owed: { records: owed, bytes: Math.ceil((part.bytes * owed) / Math.max(1, part.records)) },
  };
  ledger.result = await factsOf(resultPath);
  // Final at once, unless rows of it are sent again or wait for another's answer: then Merge writes the output.
  const isOutput = !isRepair && isFinal(ledger);
  if (isOutput && keepsAnswers(run.plan)) await keepPart({ run, part, resultPath, scratchDirectory }, deps);
  await store.putFile(resultPath, isOutput ? ownOutputOf(run.plan, layout, part_id) : layout.result(part_id));
  await stopAtFault({ part, ledger }, layout, deps);
  // Written last: a ledger that is there stands for a whole result.
  await writeJson(store, layout.ledger(part_id), ledger);
  return { part_id, rows: collected.rows };
}

/** The tokens of the answers that were read; where the job's manifest says that there were more, these were paid for too. */
function paidTokens({ input, output }: TokenCounts, manifest: JobManifest | undefined): TokenCounts {
  return {
    input: Math.max(input, manifest?.inputTokenCount ?? 0),
    output: Math.max(output, manifest?.outputTokenCount ?? 0),
  };
}

/** Records that may have been paid for and tell no tokens: those of a failed job are not paid for. */
function countUncounted(
  { tokens, rows }: Pick<PartLedger, 'tokens' | 'rows'>,
  { answered, tried }: { answered: number; tried: number },
  { job_status }: Pick<PartLedger, 'job_status'>,
  manifest: JobManifest | undefined,
): number {
  if ((manifest?.inputTokenCount ?? 0) > 0 || job_status === 'Failed') return 0;
  const isTold = tokens.input + tokens.output > 0 || answeredHere(rows) === 0;
  return tried - (isTold ? answered : 0);
}

/** Stops the run where this turn shows that every other would fail as well, and no answer proves otherwise. */
async function stopAtFault(
  turn: { part: WaveItem; ledger: PartLedger },
  layout: RunLayout,
  deps: StepDeps,
): Promise<void> {
  const fault = faultOfTurn(turn);
  if (fault === undefined) return;
  const { wave } = turn.part;
  for (let other = fault.disprovedBy === 'run' ? 1 : wave; other <= wave; other += 1) {
    const { turns = [] } = (await readWave(other, layout, deps)) ?? {};
    if (turns.some(({ ledger }) => answeredHere(ledger.rows) > 0)) return;
  }
  const stop: RunStop = { reason: 'systematic_fault', message: fault.message };
  await writeJsonIfAbsent(deps.store, layout.stop, stop);
}
