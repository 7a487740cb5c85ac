/** Exit status of a run that was refused or failed. */
export const EXIT_FAILED = 1;
/** Exit status of a run that finished with rows that have no answer. */
export const EXIT_INCOMPLETE = 2;
/** Exit status of a command that Ctrl-C or SIGTERM stopped, as a shell gives it for SIGINT. */
export const EXIT_INTERRUPTED = 130;

/** What a command says before it ends with another status than 0; 1 unless it names one. */
export class CliError extends Error {
  readonly exitStatus: number;

  constructor(name: string, message: string, exitStatus: number = EXIT_FAILED) {
    super(message);
    this.name = name;
    this.exitStatus = exitStatus;
  }
}
