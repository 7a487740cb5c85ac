import { InvalidRunInputError } from '../../core/errors.ts';
import { owedUnder } from '../../core/jobs/retry-policy.ts';
import { RunPlan } from '../../core/plan/run-plan.ts';
import { RunResumed } from '../../core/run/run-stop.ts';
import { RunSummary } from '../../core/run/summary.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { readJsonIfPresent, writeJson } from '../../store/json-object.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { countOwedSince } from '../waves/decide-wave.ts';
import { readWave, repackedParts, type Turn } from '../waves/turns.ts';
import { reopenCancelled } from './cancellation.ts';

/** What somebody who takes a run up grants it. */
export interface Grants {
  /** How often a record may be sent at most from now on. */
  maxAttempts?: number | undefined;
  /** Paid answers that cannot be read are given up: their records are sent again, and paid for again. */
  resendMissing?: boolean | undefined;
}

/** What a run that was taken up still has. */
export interface TakenUp {
  /** Records that another attempt could help, and that have none left. */
  exhausted: number;
}

/**
 * Makes a run that has ended, or was cancelled, one that goes on where somebody who has mended the cause lets it: what was
 * the account's fault is owed again, and so is what has attempts again. Only for whoever holds the run; a call that was broken
 * off can be repeated.
 */
export async function takeUp(layout: RunLayout, grants: Grants, store: ObjectStore): Promise<TakenUp> {
  await reopenCancelled(layout, store);
  const known = await readJsonIfPresent(store, layout.plan, RunPlan);
  if (known === undefined) return { exhausted: 0 };
  const plan = await grantAttempts(known, grants, { layout, store });
  const turns: Turn[] = [];
  const missing: string[] = [];
  for (let wave = 1; ; wave += 1) {
    const found = await readWave(wave, layout, { store });
    if (found === undefined) break;
    turns.push(...found.turns);
    missing.push(...found.missing.map(({ part_id }) => part_id));
  }
  if (grants.resendMissing === true && missing.length > 0) {
    const resumed = await readJsonIfPresent(store, layout.resumed, RunResumed);
    await writeJson(store, layout.resumed, { wave: 0, ...resumed, given_up: missing } satisfies RunResumed);
  }
  const summary = await readJsonIfPresent(store, layout.summary, RunSummary);
  // A run that was stopped is reopened by Plan, where its cause may be mended.
  if (summary?.status === 'partly_succeeded') {
    const resumed = { wave: summary.waves } satisfies RunResumed;
    if (countOwedSince({ turns, resumed, maxAttempts: plan.max_attempts }) > 0) {
      await writeJson(store, layout.resumed, resumed);
      // Last: while the summary is there, the run can be taken up again.
      await store.delete(layout.summary);
    }
  }
  return { exhausted: countExhausted(turns, plan.max_attempts) };
}

async function grantAttempts(
  plan: RunPlan,
  { maxAttempts }: Grants,
  { layout, store }: { layout: RunLayout; store: ObjectStore },
): Promise<RunPlan> {
  if (maxAttempts === undefined || maxAttempts === plan.max_attempts) return plan;
  if (maxAttempts < plan.max_attempts) {
    throw new InvalidRunInputError(
      `--max-attempts ${maxAttempts} is fewer than the run has: a record may be sent ${plan.max_attempts} times already. Give more, or leave it out.`,
    );
  }
  const granted = { ...plan, max_attempts: maxAttempts };
  await writeJson(store, layout.plan, granted);
  return granted;
}

function countExhausted(turns: readonly Turn[], maxAttempts: number): number {
  const repacked = repackedParts(turns);
  return turns
    .filter(({ part }) => !repacked.has(part.part_id))
    .reduce((sum, { ledger }) => {
      const most = owedUnder(ledger, { maxAttempts: Number.POSITIVE_INFINITY, forgiven: 'account' });
      return sum + most - owedUnder(ledger, { maxAttempts, forgiven: 'account' });
    }, 0);
}
