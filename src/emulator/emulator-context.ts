import type { Clock } from '../core/clock.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { FaultInjector } from './faults/fault-injector.ts';
import type { JobBook } from './jobs/job-book.ts';
import type { QuotaOptions } from './jobs/quotas.ts';
import type { OutputStaging, StageDurations } from './jobs/timing.ts';
import type { Answerer } from './models/answerer.ts';
import type { AccountLocation } from './models/model-catalog.ts';

/** What the service does with a job that is one too many. */
export type OverQuotaMode = 'reject-quota' | 'reject-throttle' | 'queue';

/** Everything that the parts of one emulator share. */
export interface EmulatorContext {
  store: ObjectStore;
  stateDirectory: string;
  clock: Clock;
  seed: number;
  account: AccountLocation;
  durations: StageDurations;
  staging: OutputStaging;
  quotas: QuotaOptions;
  overQuota: OverQuotaMode;
  trackRecords: boolean;
  faults: FaultInjector;
  answerer: Answerer;
  book: JobBook;
  /** Runs one piece of heavy work after another. */
  inTurn: <T>(work: () => Promise<T>) => Promise<T>;
}
