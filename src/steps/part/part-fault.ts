import { z } from 'zod';
import { QuarryError } from '../../core/errors.ts';
import type { PartTurn } from '../../core/plan/part.ts';
import { waitingOf } from '../../core/run/waiting.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { privately } from '../../core/text/private-text.ts';
import { runLayout } from '../../runs/run-layout.ts';
import { diskFaultOf } from '../../store/disk-fault.ts';
import { readJsonIfPresent, writeJson } from '../../store/json-object.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import type { StepDeps } from '../deps.ts';

/** `faults/<part>.json`: what broke a part's turn the last time, for Dispatch to say. */
export const PartFault = z.object({
  error: z.string(),
  message: z.string(),
  /** What of it is for logs; absent where none of it is. */
  public_message: z.string().optional(),
  /** When it was first met, where its end is waited for. */
  since: z.string().optional(),
});
export type PartFault = z.infer<typeof PartFault>;

/** What a part's fault says, for the message of another error. */
export function textOfFault({ message, public_message }: PartFault): string {
  return privately(message, public_message);
}

/** Does a part's turn; what breaks it, be it the first thing that is read, leaves word for Dispatch. */
export async function leavingWord<T>(part: PartTurn, deps: StepDeps, turn: () => Promise<T>): Promise<T> {
  try {
    return await turn();
  } catch (error) {
    await reportFault(part, error, deps);
    throw error;
  }
}

/** Leaves word of what broke a part's turn. */
export async function reportFault(
  { run_uri, part_id }: PartTurn,
  error: unknown,
  { store, clock, onProgress }: StepDeps,
): Promise<void> {
  const named = diskFaultOf(error) ?? error;
  const { name, message } = named as Error;
  const uri = runLayout(run_uri).fault(part_id);
  const known = await readJsonIfPresent(store, uri, PartFault).catch(() => undefined);
  const before = known?.since === undefined ? undefined : { ...known, since: known.since };
  const waiting = waitingOf(named, { before, nowMs: clock.now() });
  if (waiting !== undefined) onProgress?.({ kind: 'waiting', partId: part_id, ...waiting });
  const said = named instanceof QuarryError ? { public_message: named.publicMessage } : {};
  const fault: PartFault = { ...(waiting ?? { error: name, message }), ...said };
  await writeWord(uri, fault, store);
}

/** Times that word of a fault is tried to be left: without it the part passes for one that was not reached. */
const MOST_WRITES = 3;

async function writeWord(uri: S3Uri, fault: PartFault, store: ObjectStore): Promise<void> {
  for (let attempt = 1; attempt <= MOST_WRITES; attempt += 1) {
    const isWritten = await writeJson(store, uri, fault).then(
      () => true,
      () => false,
    );
    if (isWritten) return;
  }
  // Where it cannot be written at all, the first error says more.
}
