import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../src/core/clock.ts';
import { ServiceUnavailableError } from '../../src/core/errors.ts';
import type { StepDeps } from '../../src/steps/deps.ts';
import { runStep } from '../../src/steps/run-step.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import type { RunTask } from '../../src/targets/embedded/run-locally.ts';
import type { StepName } from '../../src/workflow/definition.ts';
import type { Harm } from '../support/harmed-files.ts';
import { asStep, asSteps, stepOf } from '../support/step-policies.ts';
import type { MachineFaults } from './scenario.ts';

/** A store all of whose calls go through `call`. */
function around(store: ObjectStore, call: <T>(act: () => Promise<T>) => Promise<T>): ObjectStore {
  const { localPath } = store;
  return {
    head: (uri) => call(() => store.head(uri)),
    list: (prefix) => store.list(prefix),
    read: (uri) => call(() => store.read(uri)),
    readStream: (uri, range) => call(() => store.readStream(uri, range)),
    write: (uri, body) => call(() => store.write(uri, body)),
    writeIfAbsent: (uri, body) => call(() => store.writeIfAbsent(uri, body)),
    listFolders: (folder) => store.listFolders(folder),
    readTagged: (uri) => call(() => store.readTagged(uri)),
    replace: (uri, replacement) => call(() => store.replace(uri, replacement)),
    identityOf: (object) => call(() => store.identityOf(object)),
    putFile: (path, uri) => call(() => store.putFile(path, uri)),
    fetchFile: (uri, known) => call(() => store.fetchFile(uri, known)),
    delete: (uri) => call(() => store.delete(uri)),
    ...(localPath === undefined ? {} : { localPath }),
  };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await nextTurn();
}

/** A store that is slow, and of which some calls fail, before or after they acted. */
export function faultyStore(store: ObjectStore, faults: MachineFaults['storeFaults']): ObjectStore {
  let calls = 0;
  return around(store, async (act) => {
    calls += 1;
    const number = calls;
    await turns(number % 3);
    const fault = faults.find((candidate) => candidate.call === number);
    if (fault?.when === 'before') throw new ServiceUnavailableError(`Call ${number} of the store failed.`);
    const result = await act();
    if (fault?.when === 'after') throw new ServiceUnavailableError(`The answer to call ${number} was lost.`);
    return result;
  });
}

/** A clock whose readings jump, while its sleeps are sound. */
export function jumpingClock(clock: Clock, jumpsMs: readonly number[]): Clock {
  let readings = 0;
  return {
    now: () => {
      readings += 1;
      return clock.now() + (jumpsMs[readings % Math.max(1, jumpsMs.length)] ?? 0);
    },
    sleep: (ms, signal) => clock.sleep(ms, signal),
    busy: (work) => clock.busy(work),
    rest: (ms) => clock.rest(ms),
  };
}

/** What happens to steps from outside, and what the other worker of a twin has at hand. */
export interface StepEvents {
  breakOff: () => void;
  cancel: () => Promise<void>;
  startRival: () => Promise<void>;
  harm: (harm: Harm) => Promise<void>;
  deps: StepDeps;
}

/** Carries steps out as a machine with faults does. */
export interface FaultyMachine {
  aroundTasks: (runTask: RunTask) => RunTask;
  /** Resolves once no other worker is at work any more. */
  twinsDone(): Promise<void>;
  /** Names of the steps that another worker did as well. */
  twinSteps: StepName[];
}

/** Calls some steps twice, one after the other or side by side, loses answers, breaks off, cancels. */
export function createFaultyMachine(faults: MachineFaults, events: StepEvents): FaultyMachine {
  const { stepsTwice, answersLost, brokenOffAfter, twins, rivals, cancelledAt, harms } = faults;
  let steps = 0;
  const running: Promise<unknown>[] = [];
  const twinSteps: StepName[] = [];

  const startTwin = (call: Parameters<RunTask>[0], delayTurns: number): void => {
    const { Payload } = structuredClone(call.parameters) as { Payload: unknown };
    const name = stepOf(call);
    if (name === undefined) return;
    twinSteps.push(name);
    const { deps } = events;
    const store = around(deps.store, async (act) => {
      await turns(delayTurns);
      return act();
    });
    // Another worker has its own disk; what it throws, nobody hears.
    const scratchDirectory = join(deps.scratchDirectory, `twin-${running.length}`);
    running.push(
      asStep(name, () => runStep(name, Payload, { ...deps, store, scratchDirectory })).catch(() => {}),
    );
  };

  return {
    twinSteps,
    twinsDone: async () => {
      await Promise.all(running);
    },
    aroundTasks: (runTask) => async (call) => {
      if (call.resource !== 'arn:aws:states:::lambda:invoke') return runTask(call);
      steps += 1;
      const number = steps;
      for (const harm of harms) if (harm.step === number) await events.harm(harm);
      if (brokenOffAfter.includes(number)) events.breakOff();
      if (cancelledAt.includes(number)) await events.cancel();
      // Plan takes the run's lock: before it, the other process would be the first.
      const step = stepOf(call);
      if (rivals.includes(number) && step !== 'plan') await events.startRival();
      const twin = twins.find((candidate) => candidate.step === number);
      if (twin !== undefined) startTwin(call, twin.delayTurns);
      const work = () => asSteps(runTask)(call);
      const output = await work();
      if (answersLost.includes(number)) {
        throw new ServiceUnavailableError(`The answer of step ${number} was lost.`);
      }
      return stepsTwice.includes(number) ? work() : output;
    },
  };
}
