import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import {
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import { createServer as createSocketServer, type Socket } from 'node:net';

/** One call as it went over the wire. */
export interface RecordedCall {
  /** Who made it. */
  caller: string;
  method: string;
  /** Not decoded. */
  path: string;
  query: URLSearchParams;
  body: string;
  status: number;
}

/** Where a call goes on to; or what answers it here. */
export type Route = string | ((call: Omit<RecordedCall, 'status'>) => Promise<LocalAnswer>);

/** An answer made in this process. */
export interface LocalAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** A proxy of one caller. */
export interface RecordingProxy extends AsyncDisposable {
  url: string;
}

/** Bodies that are kept for the record are no longer than this. */
const MAX_KEPT_BODY = 64 * 1024;

/** Starts a proxy that writes down every call before it passes it on. */
export async function startRecordingProxy(options: {
  caller: string;
  port?: number;
  route: (path: string, method: string) => Route;
  calls: RecordedCall[];
  /** False where the caller's policies do not allow a call: it is answered as AWS answers it. Default: all may be called. */
  isAllowed?: (call: RecordedCall) => boolean;
}): Promise<RecordingProxy> {
  // Runtime clients of the AWS SDK insist on HTTP/2.
  const http1 = createServer((incoming, response) => void forward(incoming, response, options));
  const http2 = createHttp2Server((incoming, response) => void forward(incoming, response, options));
  const sockets = new Set<Socket>();
  const server = createSocketServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    socket.once('data', (chunk) => {
      socket.pause();
      socket.unshift(chunk);
      (chunk.toString('latin1').startsWith('PRI * HTTP/2.0') ? http2 : http1).emit('connection', socket);
      process.nextTick(() => socket.resume());
    });
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function forward(
  incoming: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
  { caller, route, calls, isAllowed = () => true }: Parameters<typeof startRecordingProxy>[0],
): Promise<void> {
  const target = incoming.url ?? '/';
  const url = new URL(target, 'http://localhost');
  const path = target.split('?')[0] ?? '/';
  const method = incoming.method ?? 'GET';
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) chunks.push(chunk);
  } catch {
    return void response.destroy();
  }
  const body = Buffer.concat(chunks);
  const call: Omit<RecordedCall, 'status'> = {
    caller,
    method,
    path,
    query: url.searchParams,
    body: body.subarray(0, MAX_KEPT_BODY).toString(),
  };
  const deny = () => {
    calls.push({ ...call, status: 403 });
    respond(response, 403, { 'x-amzn-errortype': 'AccessDeniedException' }).end(denialOf(call));
  };
  // What it would be with an answer: whether an object is there is nobody's business who may not call at all.
  if (!isAllowed({ ...call, status: 200 })) return deny();
  const way = route(path, method);
  if (typeof way === 'function') {
    const answer = await way(call);
    calls.push({ ...call, status: answer.status });
    return void respond(response, answer.status, answer.headers).end(answer.body);
  }
  const { hostname, port } = new URL(way);
  const outgoing = request(
    {
      hostname,
      port,
      method,
      path: target,
      headers: {
        ...Object.fromEntries(Object.entries(incoming.headers).filter(([name]) => !name.startsWith(':'))),
        host: `${hostname}:${port}`,
      },
    },
    (answer) => {
      // S3 says that an object is absent only to those who may list its bucket.
      if (answer.statusCode === 404 && !isAllowed({ ...call, status: 404 })) {
        answer.resume();
        return deny();
      }
      calls.push({ ...call, status: answer.statusCode ?? 0 });
      answer.pipe(respond(response, answer.statusCode ?? 502, answer.headers));
    },
  );
  outgoing.on('error', () => response.destroy());
  outgoing.end(body);
}

/** The body of a refusal, as S3 or as the JSON services write it; a HEAD has none. */
function denialOf({ caller, method, path }: Omit<RecordedCall, 'status'>): string {
  if (method === 'HEAD') return '';
  const message = `${caller} is not authorized to perform this: ${method} ${path}`;
  return /^\/(?:model|2015-03-31|listTags)/.test(path)
    ? JSON.stringify({ message })
    : `<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`;
}

/** Headers of one connection are none of the next one's. */
const HOP_HEADERS = ['connection', 'keep-alive', 'transfer-encoding'];

function respond(
  response: ServerResponse | Http2ServerResponse,
  status: number,
  headers: IncomingMessage['headers'],
): NodeJS.WritableStream {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !HOP_HEADERS.includes(name)) response.setHeader(name, value);
  }
  return response as NodeJS.WritableStream;
}
