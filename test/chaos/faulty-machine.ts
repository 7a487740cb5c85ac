import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../src/core/clock.ts';
import { ServiceUnavailableError } from '../../src/core/errors.ts';
import type { RunTask } from '../../src/local/run-locally.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import type { MachineFaults } from './scenario.ts';

/** A store that is slow, and of which some calls fail, before or after they acted. */
export function faultyStore(store: ObjectStore, faults: MachineFaults['storeFaults']): ObjectStore {
  let calls = 0;
  const call = async <T>(act: () => Promise<T>): Promise<T> => {
    calls += 1;
    const number = calls;
    for (let turn = 0; turn < number % 3; turn += 1) await nextTurn();
    const fault = faults.find((candidate) => candidate.call === number);
    if (fault?.when === 'before') throw new ServiceUnavailableError(`Call ${number} of the store failed.`);
    const result = await act();
    if (fault?.when === 'after') throw new ServiceUnavailableError(`The answer to call ${number} was lost.`);
    return result;
  };
  return {
    head: (uri) => call(() => store.head(uri)),
    list: (prefix) => store.list(prefix),
    read: (uri) => call(() => store.read(uri)),
    readStream: (uri, range) => call(() => store.readStream(uri, range)),
    write: (uri, body) => call(() => store.write(uri, body)),
    writeIfAbsent: (uri, body) => call(() => store.writeIfAbsent(uri, body)),
    putFile: (path, uri) => call(() => store.putFile(path, uri)),
    fetchFile: (uri) => call(() => store.fetchFile(uri)),
    delete: (uri) => call(() => store.delete(uri)),
  };
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

/** Calls some steps twice, loses the answers of some, and breaks the execution off after some. */
export function faultySteps(
  { stepsTwice, answersLost, brokenOffAfter }: MachineFaults,
  breakOff: () => void,
): (runTask: RunTask) => RunTask {
  let steps = 0;
  return (runTask) => async (call) => {
    if (call.resource !== 'arn:aws:states:::lambda:invoke') return runTask(call);
    steps += 1;
    const number = steps;
    if (brokenOffAfter.includes(number)) breakOff();
    const output = await runTask(call);
    if (answersLost.includes(number)) {
      throw new ServiceUnavailableError(`The answer of step ${number} was lost.`);
    }
    return stepsTwice.includes(number) ? runTask(call) : output;
  };
}
