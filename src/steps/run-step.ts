import { MergeItem, WavePart } from '../core/part.ts';
import type { StepName } from '../workflow/definition.ts';
import { CollectInput, collect } from './collect.ts';
import type { StepDeps } from './deps.ts';
import { dispatch } from './dispatch.ts';
import { merge } from './merge.ts';
import { plan } from './plan.ts';
import { PrepareInput, prepare } from './prepare.ts';
import { repack } from './repack.ts';
import { runOnDemand } from './run-on-demand.ts';
import { RunState } from './run-state.ts';
import { submit } from './submit.ts';
import { summarize } from './summarize.ts';

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
      return repack(WavePart.parse(input), deps);
    case 'submit':
      return submit(WavePart.parse(input), deps);
    case 'runOnDemand':
      return runOnDemand(WavePart.parse(input), deps);
    case 'collect':
      return collect(CollectInput.parse(input), deps);
    case 'merge':
      return merge(MergeItem.parse(input), deps);
    case 'summarize':
      return summarize(RunState.parse(input), deps);
  }
}
