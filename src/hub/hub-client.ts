import { InvalidDatasetError, ServiceUnavailableError } from '../core/errors.ts';
import {
  DEFAULT_HUB_ENDPOINT,
  type HubAccess,
  type ResolvedHubAccess,
  withHubDefaults,
} from './hub-access.ts';
import { type HubSubject, toHubError } from './hub-error.ts';
import { retryAfterMsOf, retryHubFaults, TransientHubFault } from './hub-retry.ts';
import { watchForStall } from './stall-watch.ts';

/** Redirects from the Hub to a file: a renamed dataset, the file's cache, and its CDN are three. */
const MAX_REDIRECTS = 6;

/** A successful answer, and what the Hub itself said of the file before it sent us on to a CDN. */
export interface HubAnswer {
  response: Response;
  /** The file's content hash, as in the repository's listing. */
  linkedEtag: string | undefined;
  /** The commit that the file was taken from. */
  commit: string | undefined;
}

/** One request; no retry. */
export interface HubRequest {
  headers?: Record<string, string>;
  signal: AbortSignal;
}

/** Speaks to the Hub about one dataset. */
export interface HubClient {
  endpoint: string;
  access: ResolvedHubAccess;
  /** For `@huggingface/hub`: whole, small answers, with retries. Rejects with a QuarryError for a refusal. */
  fetch: typeof fetch;
  /** One GET. Rejects with TransientHubFault where another attempt may help, else with a QuarryError. */
  send(url: string, request: HubRequest): Promise<HubAnswer>;
  /** The first bytes of a file, with retries, even from a server that knows no ranges. */
  readStart(url: string, maxBytes: number): Promise<Uint8Array>;
  /** Where a file of the dataset is. */
  fileUrl(file: { path: string; commit: string }): string;
}

/** What a client knows of the Hub, and of the dataset that it asks for. */
interface Hub {
  access: ResolvedHubAccess;
  hubOrigin: string;
  viewerOrigin: string | undefined;
  /** What error messages name. */
  subject: HubSubject;
}

/** A client of the Hub for the dataset and revision, which its error messages name. */
export function createHubClient(
  hubAccess: HubAccess,
  { datasetId, revision }: { datasetId: string; revision: string },
): HubClient {
  const access = withHubDefaults(hubAccess);
  const { endpoint, viewerEndpoint, token } = access;
  const hub: Hub = {
    access,
    hubOrigin: new URL(endpoint).origin,
    viewerOrigin: viewerEndpoint === undefined ? undefined : new URL(viewerEndpoint).origin,
    subject: { endpoint, datasetId, revision, hasToken: token !== undefined },
  };
  return {
    endpoint,
    access,
    fetch: (input, init) => fetchWhole(hub, input, init),
    send: (url, request) => send(hub, url, request),
    readStart: (url, maxBytes) => readStart(hub, url, maxBytes),
    fileUrl: ({ path, commit }) =>
      `${endpoint}/datasets/${datasetId}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`,
  };
}

/** One GET, with the redirects that it meets. */
async function send(hub: Hub, url: string, request: HubRequest): Promise<HubAnswer> {
  let at = new URL(url);
  let linkedEtag: string | undefined;
  let commit: string | undefined;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const response = await fetchOnce(hub, at, request);
    const { headers } = response;
    if (at.origin === hub.hubOrigin) {
      linkedEtag = unquote(headers.get('x-linked-etag')) ?? linkedEtag;
      commit = headers.get('x-repo-commit') ?? commit;
    }
    const next = redirectOf(response, at);
    // What the viewer cannot convert it tells with a code, even in a 5xx: an answer, not a fault.
    const isAnswer = response.ok || (at.origin === hub.viewerOrigin && headers.has('x-error-code'));
    if (next === undefined && isAnswer) return { response, linkedEtag, commit };
    await response.body?.cancel();
    if (next === undefined) throw faultOf(hub, response, at);
    refusePlainText(at, next);
    at = next;
  }
  throw new ServiceUnavailableError(`${hub.hubOrigin} redirects more than ${MAX_REDIRECTS} times.`);
}

async function fetchOnce(hub: Hub, url: URL, { headers = {}, signal }: HubRequest): Promise<Response> {
  const { fetch, token } = hub.access;
  // The token is for the Hub, never for the CDN that it sends us to.
  const isTrusted = url.origin === hub.hubOrigin || url.origin === hub.viewerOrigin;
  try {
    return await fetch(url, {
      redirect: 'manual',
      signal,
      headers: {
        ...headers,
        // A body that was compressed on its way cannot be resumed in the middle.
        'accept-encoding': 'identity',
        ...(isTrusted && token !== undefined ? { authorization: `Bearer ${token}` } : {}),
      },
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new TransientHubFault(`${url.origin} could not be reached: ${reasonOf(error)}.`, { cause: error });
  }
}

/** Where an answer sends us; undefined where it does not. */
function redirectOf({ status, headers }: Response, at: URL): URL | undefined {
  const location = headers.get('location');
  return status >= 300 && status < 400 && location !== null ? new URL(location, at) : undefined;
}

function refusePlainText(from: URL, to: URL): void {
  if (from.protocol !== 'https:' || to.protocol === 'https:') return;
  throw new ServiceUnavailableError(`${from.origin} redirects to ${to.origin}, which is not encrypted.`);
}

/** What an answer that is none says: to try again, or why that would not help. */
function faultOf({ hubOrigin, subject, access }: Hub, response: Response, at: URL): Error {
  const { status, headers } = response;
  // A signed link that has expired: the next attempt asks the Hub for a new one.
  const isExpired = status === 403 && at.origin !== hubOrigin;
  if (isExpired || status === 408 || status === 429 || status >= 500) {
    return new TransientHubFault(
      `${at.origin} answered ${status}${status === 429 ? ' (too many requests)' : ''}.`,
      { retryAfterMs: retryAfterMsOf(headers, access.clock.now()) },
    );
  }
  if (at.origin !== hubOrigin) {
    return new InvalidDatasetError(`${at.origin} answered ${status} for ${at.pathname}.`);
  }
  return toHubError(response, subject);
}

/** Sends until the answer was used, with retries; an answer that comes to a standstill is asked for again. */
function sendPatiently<T>(
  hub: Hub,
  url: string,
  {
    headers,
    use,
  }: { headers: Record<string, string>; use: (response: Response, signal: AbortSignal) => Promise<T> },
): Promise<T> {
  const { clock, stallTimeoutMs: timeoutMs } = hub.access;
  const attempt = () =>
    watchForStall(async ({ signal }) => use((await send(hub, url, { headers, signal })).response, signal), {
      clock,
      timeoutMs,
      ...(hub.access.signal === undefined ? {} : { signal: hub.access.signal }),
    });
  return retryHubFaults(attempt, hub.access);
}

async function fetchWhole(
  hub: Hub,
  input: Parameters<typeof fetch>[0],
  init: Parameters<typeof fetch>[1],
): Promise<Response> {
  const url = input instanceof Request ? input.url : String(input);
  return sendPatiently(hub, atEndpoint(url, hub.access.endpoint), {
    headers: Object.fromEntries(new Headers(init?.headers)),
    use: async (response, signal) => {
      const body = await response.arrayBuffer().catch((error: unknown) => {
        throw toTransientFault(error, signal);
      });
      return new Response(body, { status: response.status, headers: response.headers });
    },
  });
}

function readStart(hub: Hub, url: string, maxBytes: number): Promise<Uint8Array> {
  return sendPatiently(hub, url, {
    headers: { range: `bytes=0-${maxBytes - 1}` },
    use: async (response, signal) => {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      for await (const chunk of readBody(response, signal)) {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes >= maxBytes) break;
      }
      return Buffer.concat(chunks).subarray(0, maxBytes);
    },
  });
}

/** A mirror's next page often still names the public Hub. */
function atEndpoint(url: string, endpoint: string): string {
  return url.startsWith(`${DEFAULT_HUB_ENDPOINT}/`) ? endpoint + url.slice(DEFAULT_HUB_ENDPOINT.length) : url;
}

/** A response's body; a connection that breaks off is a TransientHubFault. */
export async function* readBody(response: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  const chunks = response.body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await chunks.next().catch((error: unknown) => {
        throw toTransientFault(error, signal);
      });
      if (done === true) return;
      yield value;
    }
  } finally {
    // Lets go of the connection where the reader stopped early.
    await chunks.return?.().catch(() => {});
  }
}

/** The fault of a body that broke off; or the reason of the abort that broke it off. */
function toTransientFault(error: unknown, signal: AbortSignal): TransientHubFault {
  signal.throwIfAborted();
  return new TransientHubFault(`The connection to the Hub broke off: ${reasonOf(error)}.`, { cause: error });
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

/** An ETag without its quotes and weakness mark. */
export function unquote(etag: string | null): string | undefined {
  return etag === null ? undefined : etag.replace(/^W\//, '').replace(/^"(.*)"$/, '$1');
}
