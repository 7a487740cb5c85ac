import { z } from 'zod';
import type { PartTurn } from '../../core/part.ts';
import { runLayout } from '../../runs/run-layout.ts';
import { writeJson } from '../../store/json-object.ts';
import type { StepDeps } from '../deps.ts';

/** `faults/<part>.json`: what broke a part's turn the last time, for Dispatch to say. */
export const PartFault = z.object({ error: z.string(), message: z.string() });
export type PartFault = z.infer<typeof PartFault>;

/** Leaves word of what broke a part's turn. */
export async function reportFault(
  { run_uri, part_id }: PartTurn,
  error: unknown,
  { store }: StepDeps,
): Promise<void> {
  const { name, message } = error as Error;
  const fault: PartFault = { error: name, message };
  // Where this cannot be written either, the first error says more.
  await writeJson(store, runLayout(run_uri).fault(part_id), fault).catch(() => {});
}
