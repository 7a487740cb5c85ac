import { type Clock, createVirtualClock } from '../../src/core/clock.ts';
import type {
  MapState,
  State,
  StateMachineDefinition,
  States,
} from '../../src/engine/definition/amazon-states-language.ts';
import type { MapObjects, TaskCall } from '../../src/engine/definition/prepared-state.ts';
import { type ExecutionResult, runExecution } from '../../src/engine/execution.ts';
import type { HistoryEvent } from '../../src/engine/history.ts';
import { createStateMachine } from '../../src/engine/state-machine.ts';

interface RunOptions {
  input?: unknown;
  runTask?: (task: TaskCall) => Promise<unknown>;
  clock?: Clock;
  random?: () => number;
  signal?: AbortSignal;
  stateMachineName?: string;
  onEvent?: (event: HistoryEvent) => void;
  /** Objects that are there at the start, by `bucket/key`. */
  objects?: Record<string, string>;
  /** Instead of the store in memory. */
  store?: Partial<MapObjects>;
}

/** Everything that one execution did. */
export interface Run {
  result: ExecutionResult;
  events: HistoryEvent[];
  calls: TaskCall[];
  objects: Record<string, string>;
  /** Milliseconds of the clock. */
  tookMs: number;
}

/** A definition that starts at the first of the states. */
export function states(all: { [name: string]: State }): StateMachineDefinition {
  return { StartAt: Object.keys(all)[0] ?? '', States: all };
}

/** Runs a definition under a virtual clock, with tasks that echo their parameters unless told otherwise. */
export async function run(definition: StateMachineDefinition, options: RunOptions = {}): Promise<Run> {
  const { input = {}, runTask = async ({ parameters }) => parameters, signal } = options;
  const clock = options.clock ?? createVirtualClock();
  const events: HistoryEvent[] = [];
  const calls: TaskCall[] = [];
  const objects: Record<string, string> = { ...options.objects };
  const store: MapObjects = {
    getObject: async (bucket, key) => {
      const body = objects[`${bucket}/${key}`];
      if (body === undefined) throw new Error('no such object');
      return new TextEncoder().encode(body);
    },
    putObject: async (bucket, key, body) => {
      objects[`${bucket}/${key}`] = body;
    },
    ...options.store,
  };
  const startMs = clock.now();
  const name = options.stateMachineName;
  const machine = createStateMachine(definition, name === undefined ? {} : { name });
  const result = await runExecution(machine, {
    name: 'test',
    input,
    clock,
    random: options.random ?? createRandom(1),
    objects: store,
    ...(signal && { signal }),
    onEvent: (event) => {
      events.push(event);
      options.onEvent?.(event);
    },
    runTask: (task) => {
      calls.push(task);
      return runTask(task);
    },
  });
  return { result, events, calls, objects, tookMs: clock.now() - startMs };
}

/** A seeded generator of numbers in [0, 1) (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const oneTask: States = { StartAt: 'Each', States: { Each: { Type: 'Task', Resource: 'each', End: true } } };

/** A definition of one Distributed Map, `For each`, whose children run one task unless told otherwise. */
export function distributedMap(
  fields: Omit<Partial<MapState>, 'Next' | 'End'> = {},
  processor: States = oneTask,
): StateMachineDefinition {
  const ProcessorConfig = { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' } as const;
  return states({
    'For each': { Type: 'Map', ItemProcessor: { ...processor, ProcessorConfig }, ...fields, End: true },
  });
}

/** A task that fails for the given parameters, with the error `BadItem`. */
export function failingFor(...items: unknown[]) {
  return async ({ parameters }: { parameters: unknown }): Promise<string> => {
    if (items.includes(parameters)) throw Object.assign(new Error(`item ${parameters}`), { name: 'BadItem' });
    return `did ${parameters}`;
  };
}

/** 0, 1, 2 and so on. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
