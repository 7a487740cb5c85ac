import { type LookupAddress, lookup } from 'node:dns';
import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { BlockList, isIP } from 'node:net';
import { tooManyBytes } from './check-media.ts';
import { type MediaFault, mediaFault } from './media-fault.ts';
import type { FetchMedia, FoundMedia } from './media-reader.ts';

/** How addresses are fetched. */
export interface FetchOptions {
  /** Milliseconds that one may take, redirects included. @default 30000 */
  timeoutMs?: number;
  /** True: this machine's own addresses are fetched too, also without TLS. For tests. @default false */
  allowLoopback?: boolean;
}

const TIMEOUT_MS = 30_000;
const MOST_REDIRECTS = 5;
const MOST_TRIES = 3;
/** Some sites refuse whoever does not say who they are. */
const HEADERS = { 'user-agent': 'quarry (batch inference)', accept: '*/*' };

/** Addresses that are nobody's on the internet: of this machine, of its network, of clouds' own services. https://www.iana.org/assignments/iana-ipv4-special-registry */
const INTERNAL = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  INTERNAL.addSubnet(net, prefix, 'ipv4');
}
for (const [net, prefix] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  INTERNAL.addSubnet(net, prefix, 'ipv6');
}
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** What became of one request. */
type Answer = FoundMedia | MediaFault | { kind: 'redirect'; to: string } | { kind: 'passing'; text: string };

/** An address that must not be asked. */
class InternalAddress extends Error {}

/**
 * Fetches images and documents from the internet: within a time and a size, over few redirects, never from addresses of this
 * machine or its network, whatever name or redirect leads there. What may pass is tried three times.
 */
export function createMediaFetcher({
  timeoutMs = TIMEOUT_MS,
  allowLoopback = false,
}: FetchOptions = {}): FetchMedia {
  return async (url, maxBytes) => {
    let last = '';
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const answer = await follow(url, { maxBytes, allowLoopback, signal: AbortSignal.timeout(timeoutMs) });
      if (answer.kind !== 'passing') return answer;
      last = answer.text;
    }
    return mediaFault('NotFetched', `could not be fetched from ${url}: ${last}`);
  };
}

interface Fetching {
  maxBytes: number;
  allowLoopback: boolean;
  signal: AbortSignal;
}

async function follow(url: string, fetching: Fetching): Promise<Exclude<Answer, { kind: 'redirect' }>> {
  let at = url;
  for (let hops = 0; hops <= MOST_REDIRECTS; hops += 1) {
    const answer = await request(at, fetching);
    if (answer.kind !== 'redirect') return answer;
    at = answer.to;
  }
  return mediaFault(
    'NotFetched',
    `could not be fetched from ${url}: there are more than ${MOST_REDIRECTS} redirects`,
  );
}

async function request(url: string, fetching: Fetching): Promise<Answer> {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) return mediaFault('NotFound', `is ${JSON.stringify(url)}, which is no address`);
  const isPlain = parsed.protocol === 'http:';
  if (parsed.protocol !== 'https:' && !(isPlain && fetching.allowLoopback)) {
    return mediaFault('NotAllowed', `is at ${url}; only https:// is fetched`);
  }
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && isInternal(host, fetching)) return internal(url);
  try {
    const response = await send(parsed, fetching);
    return await read(response, parsed, fetching.maxBytes);
  } catch (error) {
    if (error instanceof InternalAddress) return internal(url);
    const { name, message, code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTFOUND')
      return mediaFault('NotFetched', `could not be fetched from ${url}: there is no such host`);
    return {
      kind: 'passing',
      text: name === 'TimeoutError' || name === 'AbortError' ? 'it took too long' : message,
    };
  }
}

function internal(url: string): MediaFault {
  return mediaFault(
    'NotAllowed',
    `is at ${url}, an address of this machine or its network, which is not fetched`,
  );
}

function isInternal(address: string, { allowLoopback }: Pick<Fetching, 'allowLoopback'>): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  const family = isIP(mapped) === 6 ? 'ipv6' : 'ipv4';
  if (allowLoopback && LOOPBACK.check(mapped, family)) return false;
  return INTERNAL.check(mapped, family);
}

/** Resolves a name to addresses that may be asked, so that the very address that is looked at is the one that is asked. */
function send(url: URL, fetching: Fetching): Promise<IncomingMessage> {
  const get = url.protocol === 'http:' ? getHttp : getHttps;
  return new Promise((resolve, reject) => {
    const options = {
      headers: HEADERS,
      signal: fetching.signal,
      lookup: (
        host: string,
        asked: object,
        done: (error: Error | null, addresses: LookupAddress[]) => void,
      ) => {
        lookup(host, { ...asked, all: true }, (error, addresses) => {
          const isBad = !error && addresses.some(({ address }) => isInternal(address, fetching));
          done(isBad ? new InternalAddress(host) : error, addresses ?? []);
        });
      },
    };
    get(url, options as Parameters<typeof getHttps>[1], resolve).on('error', (error) =>
      reject(fetching.signal.aborted ? fetching.signal.reason : error),
    );
  });
}

/** Statuses that say "later", beside every 5xx. */
const PASSING_STATUSES = [408, 425, 429];

async function read(response: IncomingMessage, url: URL, maxBytes: number): Promise<Answer> {
  const { statusCode = 0, headers } = response;
  if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
    response.destroy();
    return { kind: 'redirect', to: new URL(headers.location, url).href };
  }
  if (statusCode < 200 || statusCode > 299) {
    response.destroy();
    if (statusCode >= 500 || PASSING_STATUSES.includes(statusCode)) {
      return { kind: 'passing', text: `it answered ${statusCode}` };
    }
    return statusCode === 404 || statusCode === 410
      ? mediaFault('NotFound', `is not there: ${url.href} answered ${statusCode}`)
      : mediaFault('NotFetched', `could not be fetched from ${url.href}: it answered ${statusCode}`);
  }
  const told = Number(headers['content-length'] ?? 0);
  if (told > maxBytes) {
    response.destroy();
    return tooManyBytes(told, maxBytes);
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) return tooManyBytes(length, maxBytes);
    chunks.push(chunk);
  }
  if (told > length) return { kind: 'passing', text: 'its bytes broke off' };
  return { kind: 'found', bytes: Buffer.concat(chunks, length) };
}
