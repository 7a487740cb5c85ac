import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';

/** What a server answered. */
export interface HttpResult {
  status: number;
  text: string;
  /** Milliseconds that it asks to wait before the next try; undefined where it does not say. */
  retryAfterMs: number | undefined;
}

/** Posts JSON over a few kept connections. */
export interface JsonPoster {
  /** Rejects with Node's own error where there is no answer. */
  post(url: string, body: object): Promise<HttpResult>;
  get(url: string): Promise<HttpResult>;
}

/** How requests are made. */
export interface PosterOptions {
  apiKey: string | undefined;
  concurrency: number;
  timeoutMs: number;
}

/** A poster; Node's fetch gives up after five minutes, whatever it is told. */
export function createJsonPoster({ apiKey, concurrency, timeoutMs }: PosterOptions): JsonPoster {
  const options = { keepAlive: true, maxSockets: concurrency };
  const agents = { http: new HttpAgent(options), https: new HttpsAgent(options) };
  const ask = (method: 'GET' | 'POST', url: string, body?: object) =>
    new Promise<HttpResult>((resolve, reject) => {
      const isHttps = url.startsWith('https:');
      const text = body === undefined ? '' : JSON.stringify(body);
      const request = (isHttps ? requestHttps : requestHttp)(
        url,
        {
          method,
          agent: isHttps ? agents.https : agents.http,
          signal: AbortSignal.timeout(timeoutMs),
          headers: {
            accept: 'application/json',
            ...(body === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
            ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', reject);
          response.once('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              text: Buffer.concat(chunks).toString('utf8'),
              retryAfterMs: retryAfterOf(response.headers['retry-after'], response.headers.date),
            }),
          );
        },
      );
      request.once('error', reject);
      request.end(text);
    });
  return { post: (url, body) => ask('POST', url, body), get: (url) => ask('GET', url) };
}

/** Of seconds, or of a date by the server's own clock. https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
function retryAfterOf(value: string | undefined, date: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const waitMs = Date.parse(value) - Date.parse(date ?? '');
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}
