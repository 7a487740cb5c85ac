/** Something that whoever runs an emulator should know, and that no client asks for. */
export interface EmulatorNotice {
  /**
   * A file of its state could not be read; or a job waits, since this machine, or the model server, lets it go no further; or a job
   * was given up for as long as this emulator runs, and keeps what it has for the next one.
   */
  kind: 'state-damaged' | 'job-waits' | 'job-halted';
  /** What, which, and what to do. */
  message: string;
  /** What stands behind it, where that is an error of this machine. */
  cause?: Error;
}

/** Is told of everything. */
export type Notify = (notice: EmulatorNotice) => void;
