/** `quarry`: a prompt or an embedding model over every row of a dataset. */

export {
  AccessDeniedError,
  BedrockThrottledError,
  CredentialsError,
  DeploymentError,
  DiskFullError,
  InvalidDatasetError,
  InvalidRunInputError,
  JobQuotaExceededError,
  LedgerMismatchError,
  NotSupportedError,
  ObjectNotFoundError,
  QuarryError,
  RunBusyError,
  RunConflictError,
  ServiceUnavailableError,
  SystematicFaultError,
} from './core/errors.ts';
export type { RunEvent } from './core/run-event.ts';
export type { RunInput } from './core/run-input.ts';
export type { RunPlan } from './core/run-plan.ts';
export type { RunSummary } from './core/summary.ts';
export { VERSION } from './core/version.ts';
export type { CheckStatus } from './doctor/check.ts';
export type { Diagnosis } from './doctor/examine.ts';
export { type ListedModel, listModels } from './models/list-models.ts';
export type { CancelledRun } from './quarry/cancel-run.ts';
export { DEFAULT_POLL_SECONDS } from './quarry/choose-target.ts';
export { type FoundConfig, findConfig } from './quarry/config-file.ts';
export type { PlanOptions } from './quarry/draft-run.ts';
export { initProject, type LaidProject } from './quarry/init-project.ts';
export type { ListedRun } from './quarry/list-runs.ts';
export type { PlannedSchema, PlanReport, ScheduledEnd } from './quarry/plan-report.ts';
export {
  type CancelOptions,
  Quarry,
  type ResumeOptions,
  type RunName,
  type RunOptions,
} from './quarry/quarry.ts';
export type { QuarryEvent } from './quarry/quarry-event.ts';
export type { QuarryDefaults, QuarryOptions, Spelling } from './quarry/quarry-options.ts';
export { type FollowOptions, Run } from './quarry/run.ts';
export { RunDetachedError, RunStoppedError, runIdOf } from './quarry/run-errors.ts';
export type { Dataset, DatasetRow, RunRequest } from './quarry/run-request.ts';
export type { ResultRow, ResultsOptions } from './quarry/run-results.ts';
export type { RunStatusReport } from './quarry/run-status.ts';
export { type EmulateOptions, EmulatorBusyError, type ServedEmulator } from './quarry/serve-emulator.ts';
export { BOOKKEEPING_COLUMNS } from './rows/results/result-columns.ts';
export type { RunCondition } from './runs/run-store.ts';
export type { RunTarget } from './runs/run-target.ts';
export type { UnfinishedRun } from './runs/unfinished-run.ts';
export type { BrokenFile, Verification } from './steps/run/verify-run.ts';
export { DEFAULT_STACK_NAME } from './targets/aws/deployment.ts';
export type { DeployedRunStatus } from './targets/aws/run-status.ts';
export type { Adoption } from './targets/embedded/adopt-jobs.ts';
export type { QuarryJob } from './targets/embedded/find-jobs.ts';
