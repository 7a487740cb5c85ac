import { createServer as createHttp1Server, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import { createServer as createSocketServer, type Socket } from 'node:net';
import { MODEL_SERVER_HEADER } from '../models/model-server.ts';
import { type Provenance, provenanceOf } from './local-only.ts';
import type { HttpAnswer } from './router.ts';

/** A server on 127.0.0.1 that speaks HTTP/1.1 and HTTP/2 without TLS on one port. */
export interface HttpListener {
  port: number;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** A request, read to its end. */
export interface HttpRequest {
  method: string;
  target: string;
  provenance: Provenance;
  /** Who is to answer, in the header's own form. */
  modelServer: string | undefined;
  /** Undefined where it is larger than the service takes. */
  body: string | undefined;
}

/** Answers a request. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpAnswer>;

/** With which an HTTP/2 client begins. https://www.rfc-editor.org/rfc/rfc9113#section-3.4 */
const HTTP2_PREFACE = 'PRI * HTTP/2.0';
/** Above the 25 MB that InvokeModel takes. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html */
const MAX_BODY_BYTES = 32 * 1024 ** 2;
/** A client that sends more than this before it reads the answer does not get one. */
const MAX_DRAINED_BYTES = 32 * MAX_BODY_BYTES;

/** Listens on a port, or with 0 on any free one. Runtime clients of the AWS SDK for JavaScript insist on HTTP/2. */
export async function listen(port: number, handle: HttpHandler): Promise<HttpListener> {
  const http1 = createHttp1Server((request, response) => void serve(request, response, handle));
  const http2 = createHttp2Server((request, response) => void serve(request, response, handle));
  const sockets = new Set<Socket>();
  const server = createSocketServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    sniff(socket, (isHttp2) => (isHttp2 ? http2 : http1).emit('connection', socket));
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

/** Reads as much of a connection as tells the two protocols apart, and puts it back: "POST" and "PRI" begin alike. */
function sniff(socket: Socket, begin: (isHttp2: boolean) => void): void {
  let head = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    const beginning = head.subarray(0, HTTP2_PREFACE.length).toString('latin1');
    const isHttp2 = HTTP2_PREFACE.startsWith(beginning);
    if (isHttp2 && beginning.length < HTTP2_PREFACE.length) return;
    socket.off('data', onData).pause();
    socket.unshift(head);
    begin(isHttp2);
    process.nextTick(() => socket.resume());
  };
  socket.on('data', onData);
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
  let body: string | undefined;
  try {
    body = await readBody(request);
  } catch {
    // The client went away, or sends without end; there is nobody to answer.
    return drop();
  }
  const { method = 'GET', url: target = '/', headers } = request;
  const answer = await handle({
    method,
    target,
    provenance: provenanceOf(headers),
    modelServer: headers[MODEL_SERVER_HEADER]?.toString(),
    body,
  });
  if (answer.kind === 'dropped') return drop();
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  response.end(answer.body);
}

/** The body; undefined where it is too large: then it is read all the same, since a client looks for the answer afterwards. */
async function readBody(request: IncomingMessage | Http2ServerRequest): Promise<string | undefined> {
  let chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_DRAINED_BYTES) throw new Error('The body has no end.');
    if (size > MAX_BODY_BYTES) chunks = [];
    else chunks.push(chunk);
  }
  return size > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks).toString('utf8');
}
