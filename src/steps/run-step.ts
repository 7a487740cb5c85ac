import { MergeItem, PartTurn, WaveItem } from '../core/plan/part.ts';
import type { StepName } from '../workflow/definition.ts';
import type { StepDeps } from './deps.ts';
import { CollectInput, collect } from './part/collect.ts';
import { merge } from './part/merge.ts';
import { PrepareInput, prepare } from './part/prepare.ts';
import { repack } from './part/repack.ts';
import { runOnDemand } from './part/run-on-demand.ts';
import { submit } from './part/submit.ts';
import { plan } from './plan/plan.ts';
import { RunState } from './run/run-state.ts';
import { summarize } from './run/summarize.ts';
import { dispatch } from './waves/dispatch.ts';

/** Runs a step on what the state machine hands it; its input is parsed here, at the door. */
export function runStep(name: StepName, input: unknown, deps: StepDeps): Promise<unknown> {
  switch (name) {
    case 'plan':
      return plan(input, deps);
    case 'prepare':
      return prepare(PrepareInput.parse(input), deps);
    case 'dispatch':
      return dispatch(RunState.parse(input), deps);
    case 'repack':
      return repack(WaveItem.parse(input), deps);
    case 'submit':
      return submit(PartTurn.parse(input), deps);
    case 'runOnDemand':
      return runOnDemand(PartTurn.parse(input), deps);
    case 'collect':
      return collect(CollectInput.parse(input), deps);
    case 'merge':
      return merge(MergeItem.parse(input), deps);
    case 'summarize':
      return summarize(RunState.parse(input), deps);
  }
}
