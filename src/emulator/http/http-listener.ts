import { createServer as createHttp1Server, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import { createServer as createSocketServer, type Socket } from 'node:net';
import type { HttpAnswer } from './router.ts';

/** A server on 127.0.0.1 that speaks HTTP/1.1 and HTTP/2 without TLS on one port. */
export interface HttpListener {
  port: number;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** Answers a request of this method, target and body. */
export type HttpHandler = (method: string, target: string, body: string) => Promise<HttpAnswer>;

/** With which an HTTP/2 client begins. https://www.rfc-editor.org/rfc/rfc9113#section-3.4 */
const HTTP2_PREFACE = 'PRI * HTTP/2.0';
/** Above the 20 MB of base64 that InvokeModel takes. */
const MAX_BODY_BYTES = 32 * 1024 ** 2;

/** Listens on a port, or with 0 on any free one. Runtime clients of the AWS SDK for JavaScript insist on HTTP/2. */
export async function listen(port: number, handle: HttpHandler): Promise<HttpListener> {
  const http1 = createHttp1Server((request, response) => void serve(request, response, handle));
  const http2 = createHttp2Server((request, response) => void serve(request, response, handle));
  const sockets = new Set<Socket>();
  const server = createSocketServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    socket.once('data', (chunk) => {
      socket.pause();
      socket.unshift(chunk);
      const isHttp2 = HTTP2_PREFACE.startsWith(chunk.subarray(0, HTTP2_PREFACE.length).toString('latin1'));
      (isHttp2 ? http2 : http1).emit('connection', socket);
      process.nextTick(() => socket.resume());
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function serve(
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
  handle: HttpHandler,
): Promise<void> {
  const drop = () => {
    if ('stream' in request) request.stream.session?.destroy();
    else request.socket.destroy();
  };
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request) {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) return drop();
      chunks.push(chunk);
    }
  } catch {
    // The client went away; there is nobody to answer.
    return;
  }
  const answer = await handle(
    request.method ?? 'GET',
    request.url ?? '/',
    Buffer.concat(chunks).toString('utf8'),
  );
  if (answer.kind === 'dropped') return drop();
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  response.end(answer.body);
}
