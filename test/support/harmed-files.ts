import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LOCAL_BUCKET } from '../../src/targets/local/local-target.ts';

/** What can happen to a file: a full disk, a power cut, a bit that flips, a hand. */
export const HARMS = ['cut short', 'emptied', 'of one other bit', 'of zeros', 'deleted'] as const;

/** One file that is harmed, as it is drawn. */
export interface Harm {
  how: (typeof HARMS)[number];
  /** Which file, of as many as there are then. */
  file: number;
  /** Where in it, as a share of its bytes. */
  at: number;
}

/** A file that was harmed, and what it held. */
export interface HarmedFile {
  path: string;
  original: Buffer;
  how: Harm['how'];
}

/** Of jobs, which have it from Bedrock: that is not ours, and changes of it cannot be told. */
const OF_BEDROCK = /\/model-output\//;
/** Lists for the state machine, which are written anew before they are read, and what the engine notes for people. */
const DERIVED = /\/waves\/\d+\/(?:merge-)?items\.json$|\/map-results\//;
/** Unfinished writes. */
const TEMPORARY = /\/\.quarry-tmp-/;

/** Every file that Quarry keeps of a run in the store at `directory`. */
export async function filesOfRun(directory: string, runId: string): Promise<string[]> {
  const rooms = ['runs', 'working'].map((room) => filesBelow(join(directory, LOCAL_BUCKET, room, runId)));
  return (await Promise.all(rooms))
    .flat()
    .filter((path) => !OF_BEDROCK.test(path) && !DERIVED.test(path) && !TEMPORARY.test(path))
    .sort();
}

/** The files below a folder, sorted; none where there is no folder. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Harms one of these files; undefined where there is none, or nothing in it. */
export async function harmOneOf(files: readonly string[], harm: Harm): Promise<HarmedFile | undefined> {
  const path = files[harm.file % Math.max(1, files.length)];
  if (path === undefined) return undefined;
  const original = await readFile(path);
  if (original.length === 0) return undefined;
  const changed = changedBy(harm, original);
  // In its place, as hardware does it: no step of ours has a hand in it.
  if (changed === undefined) await rm(path);
  else await writeFile(path, changed);
  return { path, original, how: harm.how };
}

function changedBy({ how, at }: Harm, original: Buffer): Buffer | undefined {
  const place = Math.min(original.length - 1, Math.floor(at * original.length));
  switch (how) {
    case 'cut short':
      return original.subarray(0, place);
    case 'emptied':
      return Buffer.alloc(0);
    case 'of zeros':
      return Buffer.alloc(original.length);
    case 'of one other bit': {
      const changed = Buffer.from(original);
      changed[place] = (changed[place] ?? 0) ^ (1 << (place % 8));
      return changed;
    }
    case 'deleted':
      return undefined;
  }
}

/** Does with a harmed file what the message says that names it; throws where it does not name it, or says nothing. */
export async function followAdvice(message: string, harmed: readonly HarmedFile[]): Promise<void> {
  const named = harmed.filter(({ path }) => message.includes(path) || message.includes(uriOf(path)));
  const doomed = [...message.matchAll(/Delete (?:it|(\S+?))(?:,| and)/g)].map(([, path]) => path);
  if (named.length === 0) throw new Error(`No harmed file is named: ${message}`);
  for (const { path, original, how } of named) {
    if (doomed.length > 0)
      await rm(doomed[0] === undefined ? path : pathOf(doomed[0], path), { force: true });
    else if (how === 'deleted' && /start the run again/i.test(message)) continue;
    else if (/[Rr]estore/.test(message)) await writeFile(path, original);
    else throw new Error(`The message does not say what to do: ${message}`);
  }
}

function uriOf(path: string): string {
  return `s3://${LOCAL_BUCKET}${path.slice(path.lastIndexOf(`/${LOCAL_BUCKET}/`) + LOCAL_BUCKET.length + 1)}`;
}

/** The file that a message calls so, in the store that this other file is in. */
function pathOf(name: string, other: string): string {
  const store = other.slice(0, other.lastIndexOf(`/${LOCAL_BUCKET}/`));
  return name.startsWith('s3://') ? join(store, name.slice('s3://'.length)) : name;
}
