/** The reason given to a timer whose work has ended; without one, each abort would make an exception with a stack. */
export const TIMER_NO_LONGER_NEEDED = 'the work has ended before its timeout';

/**
 * A tree of abort signals: aborting one aborts all below it. Each has its own signal, so that a thousand
 * sleeping children do not share one long list of listeners.
 */
export class AbortScope {
  readonly #controller = new AbortController();
  readonly #children = new Set<AbortScope>();
  #detach: () => void = () => {};

  /** Follows a signal from outside. */
  static following(signal: AbortSignal | undefined): AbortScope {
    const scope = new AbortScope();
    if (signal === undefined) return scope;
    const onAbort = () => scope.abort(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    scope.#detach = () => signal.removeEventListener('abort', onAbort);
    return scope;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  fork(): AbortScope {
    const child = new AbortScope();
    if (this.signal.aborted) child.abort(this.signal.reason);
    this.#children.add(child);
    child.#detach = () => this.#children.delete(child);
    return child;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
    for (const child of this.#children) child.abort(reason);
  }

  /** Forgets this scope: nothing above it aborts it any more. */
  release(): void {
    this.#detach();
  }
}
