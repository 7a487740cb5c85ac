/** Exit status of a run that was refused or failed. */
export const EXIT_FAILED = 1;
/** Exit status of a run that finished with rows that have no answer. */
export const EXIT_INCOMPLETE = 2;
/** Exit status of a command that Ctrl-C or SIGTERM stopped, as a shell gives it for SIGINT. */
export const EXIT_INTERRUPTED = 130;

/**
 * How a command ended without its result, as `--json` says it: refused before anything was started, stopped by the user,
 * detached from a run that goes on on AWS, or failed.
 */
export type FailureStatus = 'refused' | 'stopped' | 'detached' | 'failed';

/** What is to be known of a failure beside its name and message. */
interface Failure {
  /** @default 1 */
  exitStatus?: number;
  /** @default 'failed' */
  status?: FailureStatus;
  runId?: string | undefined;
}

/** What a command says before it ends with another status than 0; 1 unless it names one. */
export class CliError extends Error {
  readonly exitStatus: number;
  readonly status: FailureStatus;
  readonly runId: string | undefined;

  constructor(name: string, message: string, { exitStatus, status, runId }: Failure = {}) {
    super(message);
    this.name = name;
    this.exitStatus = exitStatus ?? EXIT_FAILED;
    this.status = status ?? 'failed';
    this.runId = runId;
  }
}
