/** Exit status of a run that was refused or failed. */
export const EXIT_FAILED = 1;
/** Exit status of a run that finished with rows that have no answer. */
export const EXIT_INCOMPLETE = 2;

/** What a command says before it ends with status 1. */
export class CliError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}
