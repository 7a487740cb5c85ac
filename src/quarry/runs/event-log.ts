/** Events that wait for a reader that may never come: older ones are forgotten. */
const MAX_KEPT = 10_000;

/** A place between two events. */
interface Place<T> {
  /** What comes after it; undefined once nothing does. */
  next: PromiseWithResolvers<Step<T> | undefined>;
  step?: Step<T>;
}

interface Step<T> {
  event: T;
  place: Place<T>;
}

/** Events for readers that come and go. */
export interface EventLog<T> {
  push(event: T): void;
  /** Nothing comes after what is there. */
  close(): void;
  /** The first reader gets all events that are kept, a later one those from now on. */
  read(): AsyncGenerator<T, void>;
}

/** Makes an empty log. What every reader has read is let go of. */
export function createEventLog<T>(): EventLog<T> {
  let last = newPlace<T>();
  /** Where the first reader begins; undefined once it has. */
  let first: Place<T> | undefined = last;
  let kept = 0;
  return {
    push: (event) => {
      const step = { event, place: newPlace<T>() };
      last.step = step;
      last.next.resolve(step);
      last = step.place;
      if (first === undefined) return;
      kept += 1;
      if (kept > MAX_KEPT) first = first.step?.place;
    },
    close: () => last.next.resolve(undefined),
    read: () => {
      const begin = first ?? last;
      first = undefined;
      return readFrom(begin);
    },
  };
}

async function* readFrom<T>(begin: Place<T>): AsyncGenerator<T, void> {
  let step = await begin.next.promise;
  while (step !== undefined) {
    yield step.event;
    step = await step.place.next.promise;
  }
}

function newPlace<T>(): Place<T> {
  return { next: Promise.withResolvers() };
}
