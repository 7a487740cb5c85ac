/** `quarry/emulator`: Amazon Bedrock batch inference on this machine, for any AWS SDK. */

export { type Clock, systemClock } from '../core/clock.ts';
export { createDirectoryStore } from '../store/directory-store.ts';
export type { ObjectStore } from '../store/object-store.ts';
export { FaultScript } from './faults/faults.ts';
export type { QuotaOptions } from './jobs/quotas.ts';
export { DEFAULT_DURATIONS, type OutputStaging, type StageDurations } from './jobs/timing.ts';
export type { EmulatorUsage } from './models/usage.ts';
export { type Emulator, type EmulatorOptions, startEmulator } from './server.ts';
