import type { Clock } from '../core/clock.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { FaultInjector } from './faults/fault-injector.ts';
import type { JobBook } from './jobs/job-book.ts';
import type { QuotaOptions } from './jobs/quotas.ts';
import type { OutputStaging, StageDurations } from './jobs/timing.ts';
import type { Answerer } from './models/answerer.ts';
import type { AccountLocation } from './models/model-catalog.ts';
import type { ModelServer } from './models/model-server.ts';
import type { ModelServers } from './models/model-servers.ts';
import type { Notify } from './notices.ts';

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
  servers: ModelServers;
  /** Who answers where a request does not say; undefined for the simulated model. */
  defaultServer: ModelServer | undefined;
  book: JobBook;
  notify: Notify;
  /** Runs heavy work for the simulated model one after another, and for model servers a few at a time. */
  inTurn: <T>(server: ModelServer | undefined, work: () => Promise<T>) => Promise<T>;
}
