import { systemClock } from '../../core/clock.ts';
import type { Tell } from '../quarry-event.ts';
import type { RunEnd } from '../runs/run.ts';
import { RunDetachedError, RunStoppedError } from '../runs/run-errors.ts';
import { endedNotification, failedNotification, type RunNotification } from './notification.ts';
import type { NotifyChannel } from './notify-channel.ts';
import { NOTIFY_SECRET_VARIABLE, sendNotification } from './send-notification.ts';

/**
 * Does a run's work, and tells the channel of its end: what it ended with, or what it broke with. A run that was stopped by
 * its own signal has not ended. Whoever cannot be told is a notice, and changes nothing of the run.
 */
export async function tellingEnd(
  channel: NotifyChannel | undefined,
  tell: Tell,
  work: () => Promise<RunEnd>,
): Promise<RunEnd> {
  if (channel === undefined) return work();
  const send = async (notification: RunNotification) => {
    const onRetry = (message: string) => tell({ kind: 'notice', message });
    const secret = process.env[NOTIFY_SECRET_VARIABLE];
    const fault = await sendNotification(notification, channel, { secret, onRetry });
    if (fault !== undefined) tell({ kind: 'notice', message: fault });
  };
  let end: RunEnd;
  try {
    end = await work();
  } catch (error) {
    const goesOn = error instanceof RunStoppedError || error instanceof RunDetachedError;
    if (!goesOn) await send(failedNotification(error as Error, systemClock));
    throw error;
  }
  await send(endedNotification(end, systemClock));
  return end;
}
