import type { ChildResult } from './child-execution.ts';

/** How a child ended: its output, where it has one, and what a result file says of it. */
export interface EndedChild {
  output: unknown;
  result: ChildResult;
}

/** Takes what the children of one Map Run leave. */
export interface ChildResults {
  add(childIndex: number, ended: EndedChild): Promise<void>;
  /** Gives the Map state's result. */
  finish(): Promise<unknown>;
}

/** The outputs in the order of the children; how a failed one ended stands in its place. */
export class ResultArray implements ChildResults {
  readonly #outputs: unknown[] = [];

  async add(childIndex: number, { output, result }: EndedChild): Promise<void> {
    this.#outputs[childIndex] = result.Status === 'SUCCEEDED' ? output : result;
  }

  async finish(): Promise<unknown> {
    return this.#outputs;
  }
}
