/** What a command has of the world: datasets may come from `in`; results go to `out`, progress and errors to `err`. */
export interface CliContext {
  in: NodeJS.ReadStream;
  out: NodeJS.WriteStream;
  err: NodeJS.WriteStream;
  /** Set by a command that ends with another status than 0 without an error. */
  exitStatus: number;
}
