import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { type Clock, systemClock } from '../../core/clock.ts';
import { notificationId, type RunNotification } from './notification.ts';
import { channelText, type NotifyChannel } from './notify-channel.ts';

/** The environment variable whose value signs what webhooks get. */
export const NOTIFY_SECRET_VARIABLE = 'QUARRY_NOTIFY_SECRET';

/** How a notification is sent. */
export interface SendOptions {
  /** Signs what a webhook gets, where there is one. */
  secret?: string | undefined;
  clock?: Clock;
  /** Told once, where it takes more than one try. */
  onRetry?: (message: string) => void;
  /** Milliseconds that a command may take. @default 60,000 */
  commandMs?: number;
}

/** Milliseconds before each further try of a webhook that is out of reach or says "later". */
const PAUSES_MS = [1_000, 3_000, 9_000];
/** The longest wait that a webhook's `Retry-After` is given. */
const MAX_PAUSE_MS = 60_000;
/** For one answer of a webhook. */
const ANSWER_MS = 10_000;
/** For a command. */
const COMMAND_MS = 60_000;
/** For the rest of what a command says once it has ended. */
const SAYING_MS = 200;
/** Of what a command says on standard error, so much is told. */
const SAID_CHARACTERS = 500;

/** Tells of a run's end; resolves to undefined, or to why nobody could be told. Never throws: the run has ended all the same. */
export async function sendNotification(
  notification: RunNotification,
  channel: NotifyChannel,
  { secret, clock = systemClock, onRetry = () => {}, commandMs = COMMAND_MS }: SendOptions = {},
): Promise<string | undefined> {
  const who = channelText(channel);
  const fault =
    channel.kind === 'url'
      ? await post(notification, channel.url, {
          secret,
          clock,
          onRetry: (why) =>
            onRetry(`${who} could not be told yet that the run has ended: ${why} Trying again.`),
        })
      : await run(notification, channel.command, commandMs);
  return fault === undefined ? undefined : `${who} could not be told that the run has ended: ${fault}`;
}

async function post(
  notification: RunNotification,
  url: string,
  { secret, clock, onRetry }: Required<Pick<SendOptions, 'clock' | 'onRetry'>> & Pick<SendOptions, 'secret'>,
): Promise<string | undefined> {
  const body = JSON.stringify(notification);
  for (let tries = 0; ; tries += 1) {
    const { error, isPassing, retryAfterMs } = await postOnce(url, body, {
      ...signature(body, { id: notificationId(notification), secret, atMs: clock.now() }),
      'content-type': 'application/json',
      'user-agent': 'quarry',
    });
    const pauseMs = PAUSES_MS[tries];
    if (error === undefined || !isPassing || pauseMs === undefined) return error;
    if (tries === 0) onRetry(error);
    await clock.sleep(Math.min(MAX_PAUSE_MS, Math.max(pauseMs, retryAfterMs)));
  }
}

/** The headers of https://github.com/standard-webhooks/standard-webhooks: without a secret, those that need none. */
function signature(
  body: string,
  { id, secret, atMs }: { id: string; secret: string | undefined; atMs: number },
): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1000));
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp };
  if (secret === undefined || secret === '') return headers;
  // `whsec_` stands before a key in base64.
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : secret;
  const digest = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { ...headers, 'webhook-signature': `v1,${digest}` };
}

interface Posted {
  error: string | undefined;
  /** True where the next try may go well. */
  isPassing: boolean;
  retryAfterMs: number;
}

async function postOnce(url: string, body: string, headers: Record<string, string>): Promise<Posted> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    await response.body?.cancel();
    const { status, ok } = response;
    const seconds = Number(response.headers.get('retry-after'));
    return {
      error: ok ? undefined : `it answered ${status}.`,
      isPassing: status === 408 || status === 429 || status >= 500,
      retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : 0,
    };
  } catch (error) {
    const { name, message, cause } = error as Error;
    const why =
      name === 'TimeoutError' ? `no answer for ${ANSWER_MS / 1000} seconds` : causeText(cause, message);
    return { error: `${why}.`, isPassing: true, retryAfterMs: 0 };
  }
}

/** What Node says of a connection that failed: `fetch failed` says nothing. */
function causeText(cause: unknown, message: string): string {
  const { code, message: text } = (cause ?? {}) as { code?: string; message?: string };
  return code ?? (text === undefined || text === '' ? message : text);
}

/** Runs a command of the shell, with the notification as JSON on its standard input. */
async function run(
  notification: RunNotification,
  command: string,
  limitMs: number,
): Promise<string | undefined> {
  const { run_id, status } = notification.data;
  const child = spawn(command, {
    shell: true,
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { ...process.env, QUARRY_RUN_ID: run_id ?? '', QUARRY_RUN_STATUS: status },
    // A group of its own, so that the time limit ends what the shell has started, too.
    detached: process.platform !== 'win32',
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-SAID_CHARACTERS);
  });
  // It may not read what it is told.
  child.stdin.on('error', () => {});
  child.stdin.end(`${JSON.stringify(notification)}\n`);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    endGroup(child.pid);
  }, limitMs);
  try {
    const [exitCode, signal] = await once(child, 'exit');
    // What it left in the background may hold the stream open.
    await Promise.race([once(child, 'close'), systemClock.sleep(SAYING_MS)]);
    child.stderr.destroy();
    if (exitCode === 0) return undefined;
    if (isLate) return `it was not done after ${limitMs / 1000} seconds.`;
    const how = exitCode === null ? `it was ended by ${signal}` : `it ended with status ${exitCode}`;
    return said.trim() === '' ? `${how}.` : `${how}. It says: ${said.trim()}`;
  } catch (error) {
    return `it could not be started: ${(error as Error).message}.`;
  } finally {
    clearTimeout(timer);
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
