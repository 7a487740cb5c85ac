/** `quarry/emulator`: Amazon Bedrock batch inference on this machine, for any AWS SDK. */

export { type Clock, createVirtualClock, systemClock } from '../core/clock.ts';
export { createDirectoryStore } from '../store/directory-store.ts';
export type { ObjectStore } from '../store/object-store.ts';
export { emulateDirectory } from './emulate-directory.ts';
export { FaultScript } from './faults/faults.ts';
export type { QuotaOptions } from './jobs/quotas.ts';
export { DEFAULT_DURATIONS, type OutputStaging, type StageDurations } from './jobs/timing.ts';
export { simulatedAnswer, simulatedEmbedding } from './models/simulated-model.ts';
export type { EmulatorUsage } from './models/usage.ts';
export type { EmulatorNotice } from './notices.ts';
export { type Emulator, type EmulatorOptions, type ModelServerOptions, startEmulator } from './server.ts';
