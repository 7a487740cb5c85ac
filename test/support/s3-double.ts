import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as the double saw it. */
export interface S3Request {
  method: string;
  /** `bucket/key`, decoded. */
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/** What the double does to a request instead of serving it. */
export type S3Fault =
  | { status: number; code: string; headers?: Record<string, string>; message?: string }
  /** Serves the request, and cuts the connection after this many bytes of the answer's body. */
  | { cutAfterBytes: number }
  /** Carries the request out, and closes the connection without an answer. */
  | { loseAnswer: true };

/** An S3 of one process: whole objects, ranges, listings, conditional writes and multipart uploads, no signatures. */
export interface S3Double extends AsyncDisposable {
  url: string;
  objects: Map<string, Buffer>;
  requests: S3Request[];
  /** Decides about each request before it is served. */
  fault: (request: S3Request) => S3Fault | undefined;
}

/** Starts an S3 double on a free port of this machine; `pageKeys` of a listing are one page. */
export async function startS3Double({ pageKeys = 3 } = {}): Promise<S3Double> {
  const metadata = new Map<string, Record<string, string>>();
  const uploads = new Map<string, Map<number, Buffer>>();
  const double = {
    objects: new Map<string, Buffer>(),
    requests: [] as S3Request[],
    fault: (() => undefined) as S3Double['fault'],
  };

  const serve = (request: S3Request): Answer => {
    const { method, path, query, headers, body } = request;
    const object = double.objects.get(path);
    if (method === 'POST' && query.has('uploads')) {
      const uploadId = `upload-${uploads.size}`;
      uploads.set(uploadId, new Map());
      return xml(
        200,
        `<InitiateMultipartUploadResult><UploadId>${uploadId}</UploadId></InitiateMultipartUploadResult>`,
      );
    }
    const upload = uploads.get(query.get('uploadId') ?? '');
    if (method === 'PUT' && upload !== undefined) {
      upload.set(Number(query.get('partNumber')), body);
      return { status: 200, headers: { etag: etagOf(body) } };
    }
    if (method === 'POST' && upload !== undefined) {
      const parts = [...upload].sort(([a], [b]) => a - b).map(([, part]) => part);
      double.objects.set(path, Buffer.concat(parts));
      return xml(200, '<CompleteMultipartUploadResult><ETag>"whole"</ETag></CompleteMultipartUploadResult>');
    }
    if (method === 'DELETE' && upload !== undefined) return { status: 204 };
    if (method === 'PUT') {
      if (headers['if-none-match'] === '*' && object !== undefined) return failure(412, 'PreconditionFailed');
      if (headers['if-match'] !== undefined) {
        if (object === undefined) return failure(404, 'NoSuchKey');
        if (headers['if-match'] !== etagOf(object)) return failure(412, 'PreconditionFailed');
      }
      double.objects.set(path, body);
      metadata.set(
        path,
        Object.fromEntries(
          Object.entries(headers)
            .filter(([name]) => name.startsWith('x-amz-meta-'))
            .map(([name, value]) => [name, String(value)]),
        ),
      );
      return { status: 200, headers: { etag: etagOf(body) } };
    }
    if (method === 'DELETE') {
      double.objects.delete(path);
      return { status: 204 };
    }
    if (query.get('list-type') === '2') return list(path, query);
    if (object === undefined) return failure(404, 'NoSuchKey');
    const etag = etagOf(object);
    if (headers['if-match'] !== undefined && headers['if-match'] !== etag)
      return failure(412, 'PreconditionFailed');
    const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '');
    const start = Number(range?.[1] ?? 0);
    const end = range?.[2] ? Math.min(Number(range[2]), object.length - 1) : object.length - 1;
    if (range !== null && start >= object.length) return failure(416, 'InvalidRange');
    const part = object.subarray(start, end + 1);
    return {
      status: range === null ? 200 : 206,
      headers: {
        ...metadata.get(path),
        etag,
        'content-length': String(part.length),
        ...(range === null ? {} : { 'content-range': `bytes ${start}-${end}/${object.length}` }),
      },
      body: part,
    };
  };

  /** The keys of a listing that is being read page by page. */
  let listed: { prefix: string; keys: string[] } | undefined;
  const list = (bucketPath: string, query: URLSearchParams): Answer => {
    const bucket = bucketPath.split('/')[0] ?? '';
    const prefix = query.get('prefix') ?? '';
    const delimiter = query.get('delimiter');
    const from = Number(query.get('continuation-token') ?? 0);
    if (from === 0 || listed?.prefix !== prefix) listed = { prefix, keys: keysOf(bucket, prefix, delimiter) };
    const { keys } = listed;
    const page = keys.slice(from, from + pageKeys);
    const more = from + pageKeys < keys.length;
    const contents = page
      .map((key) => {
        const object = double.objects.get(`${bucket}/${key}`) ?? Buffer.alloc(0);
        if (delimiter && key.endsWith(delimiter)) {
          return `<CommonPrefixes><Prefix>${encodeURIComponent(key)}</Prefix></CommonPrefixes>`;
        }
        return `<Contents><Key>${encodeURIComponent(key)}</Key><Size>${object.length}</Size><ETag>${etagOf(object)}</ETag></Contents>`;
      })
      .join('');
    return xml(
      200,
      `<ListBucketResult><IsTruncated>${more}</IsTruncated>${more ? `<NextContinuationToken>${from + pageKeys}</NextContinuationToken>` : ''}${contents}</ListBucketResult>`,
    );
  };

  const keysOf = (bucket: string, prefix: string, delimiter: string | null): string[] => {
    const below = [...double.objects.keys()]
      .filter((path) => path.startsWith(`${bucket}/${prefix}`))
      .map((path) => path.slice(bucket.length + 1))
      .map((key) => {
        const end = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
        return end === -1 ? key : key.slice(0, end + 1);
      });
    return [...new Set(below)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  };

  const server = createServer((incoming, response) => {
    void readRequest(incoming).then((request) => {
      double.requests.push(request);
      const fault = double.fault(request);
      if (fault !== undefined && 'status' in fault) {
        return send(response, failure(fault.status, fault.code, fault), request.method);
      }
      const answer = serve(request);
      if (fault === undefined) return send(response, answer, request.method);
      if ('loseAnswer' in fault) return incoming.socket.destroy();
      response.writeHead(answer.status, answer.headers);
      response.write(answer.body?.subarray(0, fault.cutAfterBytes) ?? '', () => incoming.socket.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(double, {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: Buffer;
}

async function readRequest(incoming: IncomingMessage): Promise<S3Request> {
  const url = new URL(incoming.url ?? '/', 'http://localhost');
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return {
    method: incoming.method ?? 'GET',
    path: decodeURIComponent(url.pathname.slice(1)),
    query: url.searchParams,
    headers: incoming.headers,
    body: Buffer.concat(chunks),
  };
}

function send(response: ServerResponse, { status, headers, body }: Answer, method: string): void {
  response.writeHead(status, headers);
  response.end(method === 'HEAD' ? undefined : body);
}

function xml(status: number, content: string): Answer {
  return {
    status,
    headers: { 'content-type': 'application/xml' },
    body: Buffer.from(`<?xml version="1.0"?>${content}`),
  };
}

function failure(
  status: number,
  code: string,
  { message = code, headers = {} }: { message?: string; headers?: Record<string, string> } = {},
): Answer {
  const answer = xml(status, `<Error><Code>${code}</Code><Message>${message}</Message></Error>`);
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

/** Of each object once: it is asked of at every range. */
const etags = new WeakMap<Buffer, string>();

function etagOf(body: Buffer): string {
  const known = etags.get(body);
  if (known !== undefined) return known;
  const etag = `"${createHash('md5').update(body).digest('hex')}"`;
  etags.set(body, etag);
  return etag;
}
