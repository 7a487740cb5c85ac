import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Call, refuse, sendFile, sendJson } from './double-answer.ts';

/** What goes wrong with one request. */
export type HubFault =
  | { kind: 'status'; status: number; headers?: Record<string, string> }
  /** The connection is cut after so many bytes of the body, once `until` says that they have arrived. */
  | { kind: 'cut'; afterBytes: number; until?: Promise<void> }
  /** The body stands still after so many bytes. */
  | { kind: 'stall'; afterBytes: number }
  /** The body comes in pieces. */
  | { kind: 'slow'; chunkBytes: number; pauseMs: number }
  /** A clean end after so many bytes, with no length given. */
  | { kind: 'short'; afterBytes: number }
  | { kind: 'ignore_range' }
  | { kind: 'wrong_range' }
  | { kind: 'replace'; body: string; headers?: Record<string, string> };

/** The Parquet conversion of a dataset, and what the viewer tells of it. */
export interface ConversionDouble {
  /** By path in refs/convert/parquet, like `default/train/0000.parquet`. */
  files: Record<string, string | Buffer>;
  /** @default the dataset's own commit */
  madeFrom?: string;
  /** What the viewer says. @default false */
  partial?: boolean;
  /** The viewer's refusal. */
  viewerError?: { status: number; code: string };
  /** Files that the viewer tells of. @default those there are */
  listed?: { split: string; size: number }[];
}

/** One dataset of the double. */
export interface DatasetDouble {
  /** By path. Files that end in .parquet, or are over 1 MB, are in large file storage. */
  files: Record<string, string | Buffer>;
  /** Tokens that may read it; undefined = everybody. */
  tokens?: string[];
  /** Seen by everybody, read by `tokens` only. */
  isGated?: boolean;
  branches?: Record<string, string>;
  conversion?: ConversionDouble;
}

/** A request as it came in. */
export interface SeenRequest {
  origin: 'hub' | 'cdn' | 'viewer';
  path: string;
  headers: IncomingMessage['headers'];
}

interface StoredFile {
  body: Buffer;
  isLarge: boolean;
  etag: string;
}

/** Answers as the Hugging Face Hub, its CDN and its dataset viewer do, from three origins on loopback. */
export interface HubDouble extends AsyncDisposable {
  endpoint: string;
  viewerEndpoint: string;
  seen: SeenRequest[];
  /** Lets the next `times` requests whose path matches go wrong. */
  fail(path: RegExp, fault: HubFault, times?: number): void;
  /** Tokens that the Hub knows. */
  knownTokens: Set<string>;
  commitOf(id: string): string;
  /** Replaces a file's bytes without a new commit, which the real Hub never does. */
  tamper(id: string, path: string, body: Buffer): void;
}

/** Starts a double with these datasets; `renamed` maps old ids to new ones. */
export async function startHubDouble(
  datasets: Record<string, DatasetDouble>,
  { renamed = {}, pageSize = 1000 }: { renamed?: Record<string, string>; pageSize?: number } = {},
): Promise<HubDouble> {
  const seen: SeenRequest[] = [];
  const faults: { path: RegExp; fault: HubFault; times: number }[] = [];
  const knownTokens = new Set([
    'hf_reader',
    ...Object.values(datasets).flatMap(({ tokens }) => tokens ?? []),
  ]);
  const trees = new Map<string, Map<string, StoredFile>>();
  const commits = new Map<string, string>();
  const conversions = new Map<string, string>();
  for (const [id, dataset] of Object.entries(datasets)) {
    commits.set(id, addTree(trees, id, dataset.files));
    if (dataset.conversion !== undefined)
      conversions.set(id, addTree(trees, `${id}@parquet`, dataset.conversion.files));
  }
  const takeFault = (path: string) => {
    const found = faults.find((entry) => entry.times > 0 && entry.path.test(path));
    if (found !== undefined) found.times -= 1;
    return found?.fault;
  };

  const listen = async (
    origin: SeenRequest['origin'],
    answer: (call: Call) => Promise<void>,
  ): Promise<[Server, string]> => {
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://double');
      const path = decodeURIComponent(url.pathname) + url.search;
      seen.push({ origin, path, headers: request.headers });
      const fault = takeFault(`${origin} ${path}`);
      answer({ request, response, url, fault }).catch((error: unknown) => response.destroy(error as Error));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return [server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`];
  };

  const [cdn, cdnOrigin] = await listen('cdn', async ({ request, response, url, fault }) => {
    // As S3: a signed link and an Authorization header do not go together.
    if (request.headers.authorization !== undefined) return refuse(response, 400, {});
    if (url.searchParams.get('Signature') !== 'signed') return refuse(response, 403, {});
    const [tree, path] = [url.searchParams.get('tree') ?? '', decodeURIComponent(url.pathname.slice(1))];
    const file = trees.get(tree)?.get(path);
    if (file === undefined) return refuse(response, 404, {});
    await sendFile(
      file.body,
      { request, response, url, fault },
      { etag: `"${createHash('md5').update(file.body).digest('hex')}"` },
    );
  });

  const [viewer, viewerEndpoint] = await listen('viewer', async ({ response, url, fault }) => {
    if (fault?.kind === 'status') return refuse(response, fault.status, fault.headers ?? {});
    const id = url.searchParams.get('dataset') ?? '';
    const config = url.searchParams.get('config');
    const conversion = datasets[id]?.conversion;
    if (conversion === undefined) return refuse(response, 404, { 'x-error-code': 'ResponseNotFound' });
    if (conversion.viewerError !== undefined) {
      const { status, code } = conversion.viewerError;
      return refuse(response, status, { 'x-error-code': code });
    }
    const files = Object.entries(conversion.files).flatMap(([path, body]) => {
      const [folder, split = '', filename] = path.split('/');
      return folder === config && filename !== undefined
        ? [
            {
              dataset: id,
              config,
              split: split.replace(/^partial-|-part\d+$/g, ''),
              filename,
              size: Buffer.byteLength(body),
            },
          ]
        : [];
    });
    sendJson(
      response,
      { parquet_files: conversion.listed ?? files, features: null, partial: conversion.partial ?? false },
      { 'x-revision': conversion.madeFrom ?? commits.get(id) ?? '' },
    );
  });

  const [hub, endpoint] = await listen('hub', async (call) => {
    const { request, response, url, fault } = call;
    if (fault?.kind === 'status') return refuse(response, fault.status, fault.headers ?? {});
    const match =
      /^\/(?:api\/datasets\/(?<api>.+?)\/(?<verb>revision|tree|refs)(?:\/(?<rev>[^/]+))?|datasets\/(?<file>.+?)\/resolve\/(?<at>[^/]+)\/(?<path>.+)|api\/resolve-cache\/datasets\/(?<cached>.+?)\/(?<sha>[0-9a-f]{40})\/(?<cachedPath>.+))$/.exec(
        url.pathname,
      );
    const { api, verb, file, cached } = match?.groups ?? {};
    const id = api ?? file ?? cached ?? '';
    const newId = renamed[id];
    if (newId !== undefined) {
      response.writeHead(307, { location: url.pathname.replace(id, newId) + url.search }).end();
      return;
    }
    const token = request.headers.authorization?.replace(/^Bearer /, '');
    if (token !== undefined && !knownTokens.has(token)) {
      return refuse(response, 401, { 'x-error-message': 'Invalid credentials in Authorization header' });
    }
    const dataset = datasets[id];
    const mayRead = dataset?.tokens === undefined || (token !== undefined && dataset.tokens.includes(token));
    if (dataset === undefined || (!mayRead && dataset.isGated !== true)) {
      return refuse(response, token === undefined ? 401 : 404, {
        'x-error-code': 'RepoNotFound',
        'x-error-message': 'Repository not found',
      });
    }
    const revision = decodeURIComponent(
      match?.groups?.rev ?? match?.groups?.at ?? match?.groups?.sha ?? 'main',
    );
    const commit = commits.get(id) ?? '';
    const converted = conversions.get(id);
    const sha = [
      [commit, commit],
      ['main', commit],
      ['HEAD', commit],
      ...(converted === undefined ? [] : [[converted, converted]]),
      ...Object.entries(dataset.branches ?? {}),
    ].find(([name]) => name === revision)?.[1];
    if (sha === undefined) return refuse(response, 404, { 'x-error-code': 'RevisionNotFound' });
    const treeKey = sha === converted ? `${id}@parquet` : id;
    const tree = trees.get(treeKey) ?? new Map<string, StoredFile>();

    if (fault?.kind === 'replace') {
      response.writeHead(200, { 'content-type': 'application/json', ...fault.headers }).end(fault.body);
      return;
    }
    if (verb === 'revision') {
      return sendJson(response, {
        _id: 'x',
        id,
        sha,
        private: false,
        gated: dataset.isGated ? 'auto' : false,
        downloads: 1,
        likes: 1,
        lastModified: '2026-01-01T00:00:00.000Z',
      });
    }
    if (verb === 'refs') {
      return sendJson(response, {
        branches: [{ name: 'main', ref: 'refs/heads/main', targetCommit: commit }],
        converts:
          converted === undefined
            ? []
            : [
                { name: 'duckdb', ref: 'refs/convert/duckdb', targetCommit: '0'.repeat(40) },
                { name: 'parquet', ref: 'refs/convert/parquet', targetCommit: converted },
              ],
        tags: [],
      });
    }
    if (verb === 'tree') {
      const cursor = Number(url.searchParams.get('cursor') ?? 0);
      const page = [...tree].slice(cursor, cursor + pageSize);
      const next =
        cursor + pageSize < tree.size
          ? new URL(url.pathname + url.search, 'https://huggingface.co')
          : undefined;
      next?.searchParams.set('cursor', String(cursor + pageSize));
      const entries = page.map(([path, { body, isLarge, etag }]) => ({
        type: 'file',
        path,
        size: body.length,
        oid: isLarge ? createHash('sha1').update(etag).digest('hex') : etag,
        ...(isLarge ? { lfs: { oid: etag, size: body.length, pointerSize: 134 }, xetHash: etag } : {}),
      }));
      return await sendFile(
        Buffer.from(
          JSON.stringify([
            ...(cursor === 0 ? [{ type: 'directory', path: 'data', size: 0, oid: '' }] : []),
            ...entries,
          ]),
        ),
        call,
        {
          'content-type': 'application/json',
          ...(next === undefined ? {} : { link: `<${next}>; rel="next"` }),
        },
      );
    }
    // A gated dataset can be looked at, but not read.
    if (!mayRead)
      return refuse(response, token === undefined ? 401 : 403, {
        'x-error-code': 'GatedRepo',
        'x-error-message': 'Access to dataset is restricted',
      });
    const path = decodeURIComponent(match?.groups?.path ?? match?.groups?.cachedPath ?? '');
    const found = tree.get(path);
    if (found === undefined)
      return refuse(response, 404, { 'x-error-code': 'EntryNotFound', 'x-error-message': 'Entry not found' });
    const linked = { 'x-repo-commit': sha, 'x-linked-size': String(found.body.length) };
    if (found.isLarge) {
      // A client that asks for Xet gets a description instead of bytes.
      if (request.headers.accept?.includes('xet-fileinfo')) {
        response
          .writeHead(200, {
            ...linked,
            'content-type': 'application/vnd.xet-fileinfo+json',
            'x-xet-hash': found.etag,
            'x-linked-etag': `"${found.etag}"`,
          })
          .end('{}');
        return;
      }
      const link = new URL(`/${path.split('/').map(encodeURIComponent).join('/')}`, cdnOrigin);
      link.search = new URLSearchParams({ tree: treeKey, Signature: 'signed' }).toString();
      response.writeHead(302, { ...linked, 'x-linked-etag': `"${found.etag}"`, location: link.href }).end();
      return;
    }
    if (cached === undefined) {
      response
        .writeHead(307, {
          ...linked,
          location: `/api/resolve-cache/datasets/${id}/${sha}/${match?.groups?.path}`,
        })
        .end();
      return;
    }
    await sendFile(found.body, call, { etag: `"${found.etag}"`, 'x-repo-commit': sha });
  });

  return {
    endpoint,
    viewerEndpoint,
    seen,
    knownTokens,
    fail: (path, fault, times = 1) => faults.push({ path, fault, times }),
    commitOf: (id) => commits.get(id) ?? '',
    tamper: (id, path, body) => {
      const file = trees.get(id)?.get(path);
      if (file !== undefined) file.body = body;
    },
    [Symbol.asyncDispose]: async () => {
      for (const server of [hub, cdn, viewer]) {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      }
    },
  };
}

function addTree(
  trees: Map<string, Map<string, StoredFile>>,
  key: string,
  files: Record<string, string | Buffer>,
): string {
  const tree = new Map<string, StoredFile>();
  for (const [path, content] of Object.entries(files)) {
    const body = Buffer.from(content);
    const isLarge = path.endsWith('.parquet') || body.length > 1_000_000;
    const etag = isLarge
      ? createHash('sha256').update(body).digest('hex')
      : createHash('sha1').update(`blob ${body.length}\0`).update(body).digest('hex');
    tree.set(path, { body, isLarge, etag });
  }
  trees.set(key, tree);
  const content = [...tree].map(([path, { etag }]) => `${path} ${etag}`).join('\n');
  return createHash('sha1').update(`${key}\n${content}`).digest('hex');
}
