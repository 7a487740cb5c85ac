import { systemClock } from '../../core/clock.ts';
import { DEFAULT_HUB_ENDPOINT, type HubAccess } from '../../hub/hub-access.ts';

/** The Hugging Face Hub as this machine's environment has it: `HF_ENDPOINT`, `HF_TOKEN`. */
export function machineHub(): HubAccess {
  return {
    endpoint: process.env.HF_ENDPOINT || DEFAULT_HUB_ENDPOINT,
    token: process.env.HF_TOKEN || undefined,
    fetch,
    // What the Hub asks to wait is real, even in virtual time.
    clock: systemClock,
    random: Math.random,
  };
}
