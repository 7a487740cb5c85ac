import { type QuarryError, RunBusyError } from '../../core/errors.ts';
import type { Claim } from '../../runs/claim.ts';
import { type RunLayout, runLayout, runUriOf } from '../../runs/run-layout.ts';
import { lockRun } from '../../runs/run-lock.ts';
import { mendResults } from '../../steps/run/mend-results.ts';
import type { LocalRunOptions } from './run-locally.ts';

/** This process's hold on the run that it is working on. */
export interface Tenancy extends AsyncDisposable {
  /** Makes this process the only one at work on a run; RunBusyError where another one is. Again for the same run: nothing. */
  claimRun(runId: string): Promise<void>;
  /** Resolves while this process has the run. */
  confirm(): Promise<void>;
  /** The run that another process is working on. */
  contested(): string | undefined;
  /** True where another process has taken the run over. */
  isLost(): boolean;
}

/** What a tenancy is told. */
export interface TenancyOptions extends Pick<LocalRunOptions, 'target' | 'onClaimed'> {
  /** Called where another process has taken the run over. */
  onLost: (fault: QuarryError) => void;
}

/** Nothing is held until a run is claimed. */
export function openTenancy({ target, onClaimed, onLost }: TenancyOptions): Tenancy {
  const { store, deps } = target;
  let held: { runId: string; layout: RunLayout; claim: Claim } | undefined;
  let claimed: string | undefined;
  let contested: string | undefined;

  const hold = async (runId: string) => {
    const layout = runLayout(runUriOf(deps.settings.bucket, runId));
    contested = runId;
    const claim = await lockRun({ runId, layout }, store);
    contested = undefined;
    claim.lost.addEventListener('abort', () => onLost(lostError(runId)));
    return { runId, layout, claim };
  };

  return {
    claimRun: async (runId) => {
      // Plan may be tried again, also where what is done once it has the run has failed.
      if (claimed === runId) return;
      if (held?.runId !== runId) held = await hold(runId);
      await mendResults(held.layout, store);
      await onClaimed?.(held.layout);
      claimed = runId;
    },
    confirm: async () => held?.claim.confirm(),
    contested: () => contested,
    isLost: () => held?.claim.lost.aborted === true,
    [Symbol.asyncDispose]: async () => held?.claim[Symbol.asyncDispose](),
  };
}

function lostError(runId: string): RunBusyError {
  return new RunBusyError(
    `Another process has taken run "${runId}" over: this one had not been heard of for minutes, or its lock was deleted. It sends nothing more.`,
  );
}
