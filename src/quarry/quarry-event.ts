import type { RunEvent } from '../core/run/run-event.ts';

/** What a run tells: how far it is, and who is working on it. */
export type QuarryEvent =
  | RunEvent
  /** aws: an execution is working on the run: started now, found at work already, or only looked at. */
  | {
      kind: 'execution';
      executionArn: string;
      executionName: string;
      stackName: string;
      region: string;
      how: 'started' | 'joined' | 'followed';
    };

/** Takes an event. */
export type Tell = (event: QuarryEvent) => void;
