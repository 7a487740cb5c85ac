import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../../../src/core/clock.ts';
import { InvalidDatasetError, InvalidRunInputError } from '../../../src/core/errors.ts';
import { privately } from '../../../src/core/text/private-text.ts';
import { failedNotification } from '../../../src/quarry/notify/notification.ts';
import { channelText, parseNotifyChannel } from '../../../src/quarry/notify/notify-channel.ts';
import { type SendOptions, sendNotification } from '../../../src/quarry/notify/send-notification.ts';
import { aboutRun } from '../../../src/quarry/runs/run-errors.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { openWebhook, type Received } from '../../support/webhook-double.ts';

const NOW = { now: () => Date.UTC(2026, 10, 2) };
const NOTIFICATION = failedNotification(
  aboutRun(new InvalidDatasetError(`Row 7 is bad: ${privately('"Jane Doe"')}.`), 'mine'),
  NOW,
);

function sendTo(url: string, options: SendOptions = {}) {
  return sendNotification(NOTIFICATION, { kind: 'url', url }, { clock: createVirtualClock(), ...options });
}

describe('a webhook', () => {
  test('gets JSON with a line for people, and nothing that a message quotes of the dataset', async () => {
    const { url, received } = await openWebhook([{ status: 204 }]);
    expect(await sendTo(url)).toBeUndefined();
    expect(received).toHaveLength(1);
    const { headers, body } = received[0] as Received;
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'quarry' });
    expect(headers).not.toHaveProperty('webhook-signature');
    expect(JSON.parse(body)).toMatchObject({
      type: 'run.ended',
      timestamp: '2026-11-02T00:00:00.000Z',
      text: 'Quarry run mine: failed; InvalidDatasetError: Row 7 is bad: ….',
      data: {
        run_id: 'mine',
        status: 'failed',
        error: { name: 'InvalidDatasetError', message: 'Row 7 is bad: ….' },
        rows: null,
        cost_usd: null,
      },
    });
  });

  test.each([
    ['a text', 'a secret', 'a secret' as string | Buffer],
    ['a key in base64', 'whsec_c2VjcmV0', Buffer.from('secret')],
  ])('finds it signed with a secret that is %s', async (_, secret, key) => {
    const { url, received } = await openWebhook([{ status: 200 }]);
    await sendTo(url, { secret });
    const { headers, body } = received[0] as Received;
    const { 'webhook-id': id, 'webhook-timestamp': timestamp } = headers;
    const digest = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${digest}`);
    expect(Number(timestamp) * 1000).toBe(Date.UTC(2026, 0, 1));
  });

  test('that says "later" is told again, under the same id, and whoever waits is told why', async () => {
    const { url, received } = await openWebhook([
      { status: 503 },
      { status: 429, headers: { 'retry-after': '20' } },
      { status: 200 },
    ]);
    const clock = createVirtualClock();
    const startMs = clock.now();
    const said: string[] = [];
    expect(await sendTo(url, { clock, onRetry: (message) => said.push(message) })).toBeUndefined();
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(received).toHaveLength(3);
    expect(clock.now() - startMs).toBe(21_000);
    expect(said).toEqual([
      `${new URL(url).origin} could not be told yet that the run has ended: it answered 503. Trying again.`,
    ]);
  });

  test.each([
    [400, 1],
    [500, 4],
  ])(
    'that answers %i is told %i times, and its path, which may be a secret, is in no message',
    async (status, times) => {
      const { url, received } = await openWebhook([{ status }]);
      expect(await sendTo(url)).toBe(
        `${new URL(url).origin} could not be told that the run has ended: it answered ${status}.`,
      );
      expect(received).toHaveLength(times);
    },
  );

  test('that is not there, or sends elsewhere, is named', async () => {
    const { url: gone, close } = await openWebhook([]);
    await close();
    expect(await sendTo(gone)).toBe(
      `${new URL(gone).origin} could not be told that the run has ended: ECONNREFUSED.`,
    );
    const { url } = await openWebhook([{ status: 302, headers: { location: 'http://127.0.0.1:1' } }]);
    expect(await sendTo(url)).toContain('unexpected redirect');
  });
});

describe.skipIf(process.platform === 'win32')('a command', () => {
  const run = (command: string, options?: SendOptions) =>
    sendNotification(NOTIFICATION, { kind: 'command', command }, options);

  test('gets the JSON on its standard input, and the run and its status by variables', async () => {
    const path = join(await temporaryDirectory(), 'told');
    expect(await run(`{ cat; echo "$QUARRY_RUN_ID $QUARRY_RUN_STATUS"; } > '${path}'`)).toBeUndefined();
    const [json, variables] = (await readFile(path, 'utf8')).split('\n');
    expect(JSON.parse(json ?? '')).toEqual(NOTIFICATION);
    expect(variables).toBe('mine failed');
  });

  test.each([
    ['echo no such channel >&2; exit 3', 'it ended with status 3. It says: no such channel'],
    ['exit 1', 'it ended with status 1.'],
    ['kill -9 $$', 'it was ended by SIGKILL.'],
  ])('that fails (%s) is told of', async (command, why) => {
    expect(await run(command)).toBe(
      `the command "${command}" could not be told that the run has ended: ${why}`,
    );
  });

  test('that reads nothing, or leaves something in the background, is no fault', async () => {
    expect(await run('true')).toBeUndefined();
    expect(await run('sleep 30 & true')).toBeUndefined();
  });

  test('that takes too long is ended, with all that it has started', async () => {
    const path = join(await temporaryDirectory(), 'late');
    const command = `sh -c 'sleep 2; touch ${path}'`;
    expect(await run(command, { commandMs: 300 })).toBe(
      `the command "${command}" could not be told that the run has ended: it was not done after 0.3 seconds.`,
    );
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await expect(readFile(path)).rejects.toThrow('ENOENT');
  });
});

describe('who is told', () => {
  test.each([
    ['https://hooks.example/x?y', { kind: 'url', url: 'https://hooks.example/x?y' }],
    ['notify-send done', { kind: 'command', command: 'notify-send done' }],
    ['curl https://hooks.example', { kind: 'command', command: 'curl https://hooks.example' }],
  ])('%s', (text, channel) => {
    expect(parseNotifyChannel(text, '--notify')).toEqual(channel);
  });

  test.each([
    [' ', '--notify is empty. Give a command, or the URL of a webhook.'],
    [
      'ftp://files',
      '--notify "ftp://files" is no URL that can be told of a run\'s end. Give one that begins with https:// or http://, or a command.',
    ],
    ['https://', '--notify "https://" is no URL that can be told of a run\'s end.'],
  ])('cannot be "%s"', (text, message) => {
    expect(() => parseNotifyChannel(text, '--notify')).toThrow(InvalidRunInputError);
    expect(() => parseNotifyChannel(text, '--notify')).toThrow(message);
  });

  test('is shown without what may be a secret', () => {
    expect(channelText({ kind: 'url', url: 'https://hooks.example/T0/B0/secret' })).toBe(
      'https://hooks.example',
    );
  });
});
