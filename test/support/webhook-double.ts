import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A request that a webhook got. */
export interface Received {
  headers: IncomingMessage['headers'];
  body: string;
}

/** A webhook that gives these answers in turn, the last one again and again. */
export async function openWebhook(
  answers: readonly { status: number; headers?: Record<string, string> }[],
  onReceived: (received: Received) => void = () => {},
) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const body = (await Array.fromAsync(request)).join('');
    const { status, headers = {} } = answers[Math.min(received.length, answers.length - 1)] ?? {
      status: 200,
    };
    received.push({ headers: request.headers, body });
    onReceived({ headers: request.headers, body });
    response.writeHead(status, headers).end('what it says is of no interest');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(close);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/secret-path`;
  return { url, received, close };
}
