import { InvalidRunInputError } from '../../core/errors.ts';

/** Who is told that a run has ended. */
export type NotifyChannel = { kind: 'url'; url: string } | { kind: 'command'; command: string };

/** Reads `http://…` and `https://…` as a webhook, and anything else as a command of the shell; InvalidRunInputError for neither. */
export function parseNotifyChannel(text: string, option: string): NotifyChannel {
  if (text.trim() === '') {
    throw new InvalidRunInputError(`${option} is empty. Give a command, or the URL of a webhook.`);
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return { kind: 'command', command: text };
  if ((scheme !== 'http' && scheme !== 'https') || !URL.canParse(text)) {
    throw new InvalidRunInputError(
      `${option} "${text}" is no URL that can be told of a run's end. Give one that begins with https:// or http://, or a command.`,
    );
  }
  return { kind: 'url', url: text };
}

/** The channel for people. A webhook's path and query may be its secret. */
export function channelText(channel: NotifyChannel): string {
  return channel.kind === 'url' ? new URL(channel.url).origin : `the command "${channel.command}"`;
}
