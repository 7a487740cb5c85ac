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
export type { RunPlan } from './core/plan/run-plan.ts';
export type { RunEvent } from './core/run/run-event.ts';
export type { RunSummary, VariantAgreement, VariantSummary } from './core/run/summary.ts';
export type { RunInput } from './core/run-input/run-input.ts';
export { VERSION } from './core/version.ts';
export type { CheckStatus } from './doctor/check.ts';
export type { Diagnosis } from './doctor/examine.ts';
export { type ListedModel, listModels } from './models/list-models.ts';
export { DEFAULT_POLL_SECONDS } from './quarry/choose-target.ts';
export type { NotifiedRun, RunNotification } from './quarry/notify/notification.ts';
export { type FoundConfig, findConfig } from './quarry/project/config-file.ts';
export { initProject, type LaidProject } from './quarry/project/init-project.ts';
export { Quarry } from './quarry/quarry.ts';
export type { QuarryEvent } from './quarry/quarry-event.ts';
export type { QuarryDefaults, QuarryOptions, Spelling } from './quarry/quarry-options.ts';
export type { AnswerColumns, OutputSchema, StandardSchema } from './quarry/results/answer-types.ts';
export type { DiffOptions, WrittenDiff } from './quarry/results/diff-runs.ts';
export type { ReportOptions, WrittenReport } from './quarry/results/run-report.ts';
export type { ResultRow, ResultsOptions } from './quarry/results/run-results.ts';
export type { CancelledRun } from './quarry/runs/cancel-run.ts';
export type { PlanOptions } from './quarry/runs/draft-run.ts';
export type { EarlierRun } from './quarry/runs/earlier-run.ts';
export type { AnswersOptions, KeptAnswers } from './quarry/runs/kept-answers.ts';
export type { ListedRun } from './quarry/runs/list-runs.ts';
export type {
  PilotReport,
  PlannedRecord,
  PlannedSchema,
  PlannedVariant,
  PlanReport,
  ReuseReport,
  ScheduledEnd,
  UnsentCause,
  UnsentRows,
} from './quarry/runs/plan-report.ts';
export type { RerunRequest } from './quarry/runs/rerun-run.ts';
export { type FollowOptions, Run } from './quarry/runs/run.ts';
export {
  OutputNotWrittenError,
  RunDetachedError,
  RunStoppedError,
  runIdOf,
} from './quarry/runs/run-errors.ts';
export type { CancelOptions, ResumeOptions, RunName, RunOptions } from './quarry/runs/run-options.ts';
export type { Dataset, DatasetRow, RunRequest } from './quarry/runs/run-request.ts';
export type { RunStatusReport } from './quarry/runs/run-status.ts';
export { type EmulateOptions, EmulatorBusyError, type ServedEmulator } from './quarry/serve-emulator.ts';
export type { ShownAnswer } from './quarry/watch/newest-answers.ts';
export type { TimeLeft } from './quarry/watch/time-left.ts';
export { createWatchTeller, endOf, type WatchTeller } from './quarry/watch/watch-changes.ts';
export { WATCH_EVENTS, WatchEvent } from './quarry/watch/watch-event.ts';
export type { PartCell, PartJobView, PartView } from './quarry/watch/watch-parts.ts';
export type { PhaseView } from './quarry/watch/watch-phases.ts';
export type { WatchOptions } from './quarry/watch/watch-run.ts';
export type { WatchDollars, WatchView } from './quarry/watch/watch-view.ts';
export type { RunDiff } from './report/diff/run-diff.ts';
export type { RunReport } from './report/run-report.ts';
export { BOOKKEEPING_COLUMNS } from './rows/results/result-columns.ts';
export { type RunDollars, runDollars } from './runs/run-dollars.ts';
export {
  EMPTY_SNAPSHOT,
  type PartSnapshot,
  type RunSnapshot,
  reduceRun,
  waitOf,
} from './runs/run-snapshot.ts';
export type { RunCondition } from './runs/run-store.ts';
export type { RunTarget } from './runs/run-target.ts';
export type { StepWaiting } from './runs/step-waiting.ts';
export type { UnfinishedRun } from './runs/unfinished-run.ts';
export type { RowExplanation } from './steps/answers/explain-row.ts';
export type { BrokenFile, Verification } from './steps/run/verify-run.ts';
export { DEFAULT_STACK_NAME } from './targets/aws/deployment.ts';
export type { DeployedRunStatus } from './targets/aws/run-status.ts';
export type { Adoption } from './targets/embedded/adopt-jobs.ts';
export type { QuarryJob } from './targets/embedded/find-jobs.ts';
