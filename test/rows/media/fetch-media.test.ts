import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createMediaFetcher } from '../../../src/rows/media/fetch-media.ts';
import { openMediaReader } from '../../../src/rows/media/media-reader.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { createDirectory } from '../../support/rows.ts';

const MOST = 1_000;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function serve(listener: RequestListener): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    listener(request, response);
  });
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const fetchHere = createMediaFetcher({ allowLoopback: true, timeoutMs: 5_000 });

test('the bytes at an address are found, over redirects', async () => {
  const { url, asked } = await serve((request, response) => {
    if (request.url === '/a') response.writeHead(302, { location: '/b' }).end();
    else response.end('bytes');
  });
  expect(await fetchHere(`${url}/a`, MOST)).toEqual({ kind: 'found', bytes: Buffer.from('bytes') });
  expect(asked).toEqual(['/a', '/b']);
});

test('what may pass is tried three times', async () => {
  let failures = 2;
  const { url, asked } = await serve((_request, response) => {
    failures -= 1;
    if (failures >= 0) response.writeHead(503).end();
    else response.end('bytes');
  });
  expect(await fetchHere(url, MOST)).toMatchObject({ kind: 'found' });
  expect(asked).toHaveLength(3);
  failures = 10;
  expect(await fetchHere(url, MOST)).toEqual({
    kind: 'fault',
    name: 'NotFetched',
    text: `could not be fetched from ${url}: it answered 503`,
  });
  expect(asked).toHaveLength(6);
});

test('a connection that breaks off is tried again, and a short body is not taken for a whole one', async () => {
  let tries = 0;
  const { url } = await serve((request, response) => {
    tries += 1;
    if (tries === 1) request.socket.destroy();
    else if (tries === 2) {
      response.writeHead(200, { 'content-length': '10' }).write('half');
      setImmediate(() => request.socket.destroy());
    } else response.end('whole');
  });
  expect(await fetchHere(url, MOST)).toEqual({ kind: 'found', bytes: Buffer.from('whole') });
});

test.each<[string, RequestListener, object]>([
  ['a 404', (_request, response) => response.writeHead(404).end(), { name: 'NotFound' }],
  ['a 403', (_request, response) => response.writeHead(403).end(), { name: 'NotFetched' }],
  [
    'a size that is told to be too large',
    (_request, response) => response.writeHead(200, { 'content-length': '2000' }).write('x'),
    { name: 'TooLarge', text: 'has 2,000 bytes; the model takes up to 1,000' },
  ],
  [
    'more bytes than were told',
    (_request, response) => response.end('x'.repeat(1_001)),
    { name: 'TooLarge' },
  ],
  [
    'redirects without an end',
    (_request, response) => response.writeHead(301, { location: '/again' }).end(),
    { name: 'NotFetched', text: expect.stringContaining('more than 5 redirects') },
  ],
  [
    'a redirect to another scheme',
    (_request, response) => response.writeHead(301, { location: 'file:///etc/passwd' }).end(),
    { name: 'NotAllowed' },
  ],
  [
    'a redirect into the network',
    (_request, response) =>
      response.writeHead(301, { location: 'https://169.254.169.254/latest/meta-data' }).end(),
    { name: 'NotAllowed' },
  ],
])('%s is a fault of the row', async (_name, listener, fault) => {
  const { url } = await serve(listener);
  expect(await fetchHere(url, MOST)).toMatchObject({ kind: 'fault', ...fault });
});

test('an address that does not answer in time is given up', async () => {
  const { url, asked } = await serve(() => {});
  const fetchSoon = createMediaFetcher({ allowLoopback: true, timeoutMs: 100 });
  expect(await fetchSoon(url, MOST)).toMatchObject({
    name: 'NotFetched',
    text: expect.stringContaining('it took too long'),
  });
  expect(asked).toHaveLength(3);
});

test.each([
  'https://127.0.0.1/a.png',
  'https://localhost/a.png',
  'https://10.1.2.3/a.png',
  'https://192.168.0.1/a.png',
  'https://172.20.0.1/a.png',
  'https://169.254.169.254/latest/meta-data',
  'https://100.64.0.1/a',
  'https://0.0.0.0/a',
  'https://2130706433/a',
  'https://[::1]/a',
  'https://[::ffff:10.0.0.1]/a',
  'https://[fd00::1]/a',
  'https://[fe80::1]/a',
  'http://example.org/a.png',
])('%s is never asked', async (url) => {
  expect(await createMediaFetcher()(url, MOST)).toMatchObject({ kind: 'fault', name: 'NotAllowed' });
});

test('a reader fetches only where it is told to', async () => {
  const { url } = await serve((_request, response) => response.end('bytes'));
  const folder = await createDirectory();
  const store = createDirectoryStore(folder);
  const readWith = async (fetchMedia: typeof fetchHere | undefined) =>
    (await openMediaReader({ folder, store, fetchMedia })).read(url, MOST);
  expect(await readWith(fetchHere)).toMatchObject({ kind: 'found' });
  expect(await readWith(undefined)).toMatchObject({ kind: 'fault', name: 'NotAllowed' });
});
