import { watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { digestOf } from '../../src/emulator/faults/seeded-random.ts';
import { simulatedAnswer } from '../../src/emulator/models/simulated-model.ts';
import { readResults } from '../../src/rows/results/read-results.ts';
import { pngOf } from '../support/images.ts';
import type { QuarryProcess } from '../support/quarry-process.ts';

/** Whose answers cost nothing but are told apart. */
export const MODEL = 'us.amazon.nova-lite-v1:0';

const { QUARRY_KILLS = 3, QUARRY_KILL_SEED = 20_260_101 } = process.env;

/** Kills in each test; more with QUARRY_KILLS. */
export const KILLS = Number(QUARRY_KILLS);
/** Of the moments; `npm run kill` takes a new one each time. */
export const SEED = QUARRY_KILL_SEED === 'random' ? Date.now() % 1_000_000 : Number(QUARRY_KILL_SEED);

/** A process is at work from about this long after its start to about that long, and changes about so many files. */
const [EARLIEST_MS, LATEST_MS] = [700, 4500];
const MAX_CHANGES = 120;
/** A step takes about so long. */
const STEP_MS = 400;

/** When to kill: after so long, once something was written so many times, or so long after a file of that name was. */
export type Moment = { ms: number } | { changes: number } | { name: RegExp; afterMs: number };

/** A moment of any process. */
export function drawMoment(random: () => number): Moment {
  return random() < 0.5
    ? { ms: Math.round(EARLIEST_MS + random() * (LATEST_MS - EARLIEST_MS)) }
    : { changes: 1 + Math.floor(random() * MAX_CHANGES) };
}

/** Whether rows show images. */
export function drawImages(random: () => number): boolean {
  return random() < 0.5;
}

/** A moment while the step that follows upon a file is at work. */
export function drawMomentAfter(name: RegExp, random: () => number): Moment {
  return { name, afterMs: Math.round(random() * STEP_MS) };
}

/** Resolves at the moment, or when it is too late for it. */
export async function comes(moment: Moment, dir: string): Promise<void> {
  const stop = new AbortController();
  // A run that waits changes nothing.
  const atTheLatest = sleep('ms' in moment ? moment.ms : 2 * LATEST_MS, undefined, { signal: stop.signal });
  const changed = async () => {
    if ('ms' in moment) return atTheLatest;
    let left = 'changes' in moment ? moment.changes : 1;
    for await (const { filename } of watch(dir, { recursive: true, signal: stop.signal })) {
      if ('name' in moment && !moment.name.test(filename ?? '')) continue;
      left -= 1;
      if (left === 0) break;
    }
    if ('name' in moment) await sleep(moment.afterMs, undefined, { signal: stop.signal });
  };
  await Promise.race([atTheLatest, changed()]).finally(() => stop.abort());
}

/** Kills a process at each moment, and starts it again, until it ends by itself; the process that did. */
export async function killAt(
  moments: readonly Moment[],
  dir: string,
  start: () => QuarryProcess,
): Promise<{ process: QuarryProcess; status: number | NodeJS.Signals; kills: number }> {
  let kills = 0;
  for (const moment of moments) {
    const process = start();
    const ended = await Promise.race([comes(moment, dir), process.ended]);
    // What has ended before its moment came is not killed.
    if (ended !== undefined) return { process, status: ended, kills };
    process.signal('SIGKILL');
    await process.ended;
    kills += 1;
  }
  const process = start();
  return { process, status: await process.ended, kills };
}

/** What rows ask. */
export interface Questions {
  rows: number;
  /** So many different questions there are; by default each row has its own. */
  distinct?: number;
  /** Each row shows one of a few images, which lie beside the dataset. */
  showsImages?: boolean;
}

const PHOTOS = Array.from({ length: 5 }, (_, index) => pngOf(4, 4, index + 1));

/** Writes the dataset; the words of the command that run it. */
export async function writeQuestions(
  directory: string,
  { rows, distinct = rows, showsImages = false }: Questions,
): Promise<string[]> {
  const file = join(directory, 'rows.csv');
  const lines = Array.from(
    { length: rows },
    (_, index) => `${index},"${questionOf(index % distinct)}",${index % PHOTOS.length}.png`,
  );
  await writeFile(file, `n,text,photo\n${lines.join('\n')}\n`);
  if (!showsImages) return [file];
  for (const [index, bytes] of PHOTOS.entries()) await writeFile(join(directory, `${index}.png`), bytes);
  return [file, '--image-columns', 'photo'];
}

function questionOf(index: number): string {
  return `question ${index}, which is new`;
}

function aboutImageOf(index: number): string {
  const base64 = PHOTOS[index % PHOTOS.length]?.toString('base64') ?? '';
  return ` It shows an image (png, 4 × 4 pixels) with the digest ${digestOf(base64)}.`;
}

/** Every row is there, in its order, with its own answer. */
export async function expectEveryRowOnce(
  paths: string[],
  { rows, distinct = rows, showsImages = false }: Questions,
): Promise<void> {
  const out = await Array.fromAsync(readResults(paths, {}));
  const expected = Array.from({ length: rows }, (_, index) => ({
    n: String(index),
    response: `${simulatedAnswer(MODEL, `Answer ${questionOf(index % distinct)}`)}${showsImages ? aboutImageOf(index) : ''}`,
  }));
  expect(out.map(({ n, response }) => ({ n, response }))).toEqual(expected);
}
