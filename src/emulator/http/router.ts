import { isJsonObject } from '../../core/text/json-value.ts';
import { digestOf } from '../faults/seeded-random.ts';
import { decodeModelServer, type ModelServer } from '../models/model-server.ts';
import type { ModelServers } from '../models/model-servers.ts';
import { type ControlPlane, type OperationResult, serverError } from './control-plane.ts';
import type { HttpRequest } from './http-listener.ts';
import { refuseForeign } from './local-only.ts';
import type { RuntimePlane } from './runtime-plane.ts';
import { ServiceError } from './service-error.ts';

/** An HTTP response, or a connection that is cut without one. */
export type HttpAnswer =
  | { kind: 'response'; status: number; headers: Record<string, string>; body: string }
  | { kind: 'dropped' };

/** What the paths lead to. */
export interface RouterDeps {
  control: ControlPlane;
  runtime: RuntimePlane;
  describe: (server: ModelServer | undefined) => object;
  usage: () => Promise<object>;
  seed: number;
  servers: ModelServers;
  /** Who answers where a request does not say. */
  defaultServer: ModelServer | undefined;
}

interface Call {
  path: string[];
  query: URLSearchParams;
  body: string;
  server: ModelServer | undefined;
}

type Handler = (call: Call) => Promise<OperationResult>;

interface Route {
  method: string;
  /** `*` stands for one segment, percent-encoded. */
  path: string[];
  handle: Handler;
}

/** Answers requests in the REST-JSON protocol. */
export function createRouter(deps: RouterDeps): (request: HttpRequest) => Promise<HttpAnswer> {
  const routes = toRoutes(deps);
  let requestCount = 0;
  return async (request) => {
    requestCount += 1;
    const headers = {
      'content-type': 'application/json',
      'x-amzn-requestid': toRequestId(`${deps.seed}/${requestCount}`),
    };
    try {
      const result = await dispatch(routes, request, serverOf(request, deps));
      if (result.lost === 'dropped') return { kind: 'dropped' };
      if (result.lost === 'server-error') throw serverError(500);
      return {
        kind: 'response',
        status: 200,
        headers: { ...headers, ...result.headers },
        body: JSON.stringify(result.body),
      };
    } catch (error) {
      const known =
        error instanceof ServiceError
          ? error
          : new ServiceError('InternalServerException', `Error of the emulator: ${String(error)}`);
      return {
        kind: 'response',
        status: known.httpStatus,
        headers: { ...headers, ...known.headers, 'x-amzn-errortype': known.errorName },
        body: JSON.stringify({ message: known.message }),
      };
    }
  };
}

function toRoutes({ control, runtime, describe, usage }: RouterDeps): Route[] {
  const route = (method: string, path: string, handle: Handler): Route => ({
    method,
    path: path.split('/').slice(1),
    handle,
  });
  return [
    route('POST', '/model-invocation-job', ({ body, server }) => control.create(readJson(body), server)),
    route('GET', '/model-invocation-job/*', ({ path }) => control.get(path[1] ?? '')),
    route('POST', '/model-invocation-job/*/stop', ({ path }) => control.stop(path[1] ?? '')),
    route('GET', '/model-invocation-jobs', ({ query }) => control.list(query)),
    route('POST', '/tagResource', ({ body }) => control.tag(readJson(body))),
    route('POST', '/untagResource', ({ body }) => control.untag(readJson(body))),
    route('POST', '/listTagsForResource', ({ body }) => control.listTags(readJson(body))),
    route('GET', '/inference-profiles/*', ({ path }) => control.profile(path[1] ?? '')),
    route('POST', '/model/*/invoke', ({ path, body, server }) =>
      runtime.invoke(path[1] ?? '', body, { invocationType: 'InvokeModel', server }),
    ),
    route('POST', '/model/*/converse', ({ path, body, server }) =>
      runtime.invoke(path[1] ?? '', body, { invocationType: 'Converse', server }),
    ),
    route('POST', '/model/*/count-tokens', ({ path, body }) => runtime.countTokens(path[1] ?? '', body)),
    route('GET', '/_emulator', async ({ server }) => ({ body: describe(server) })),
    route('GET', '/_emulator/usage', async () => ({ body: await usage() })),
  ];
}

/** Who is to answer a request; its key, which the request brings as well, is remembered. Foreign requests are refused. */
function serverOf(
  { provenance, modelServer }: HttpRequest,
  { servers, defaultServer }: RouterDeps,
): ModelServer | undefined {
  const foreign = refuseForeign(provenance);
  if (foreign !== undefined) throw new ServiceError('AccessDeniedException', foreign);
  if (modelServer === undefined) return defaultServer;
  const keyed = decodeModelServer(modelServer);
  if (keyed === undefined) {
    throw new ServiceError(
      'ValidationException',
      'This emulator does not understand which model server should answer: it is of another version of Quarry than its client.',
    );
  }
  servers.learn(keyed);
  return keyed.server;
}

async function dispatch(
  routes: Route[],
  { method, target, body }: HttpRequest,
  server: ModelServer | undefined,
): Promise<OperationResult> {
  if (body === undefined) {
    throw new ServiceError('RequestEntityTooLargeException', 'The request body is too large.');
  }
  const question = target.indexOf('?');
  const pathText = question === -1 ? target : target.slice(0, question);
  const query = new URLSearchParams(question === -1 ? '' : target.slice(question + 1));
  const path = pathText.split('/').slice(1).map(decode);
  const route = routes.find(
    (candidate) =>
      candidate.method === method &&
      candidate.path.length === path.length &&
      candidate.path.every((segment, index) => segment === '*' || segment === path[index]),
  );
  if (route === undefined) {
    throw new ServiceError('UnknownOperationException', `There is no operation ${method} ${pathText}.`);
  }
  return route.handle({ path, query, body, server });
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function readJson(text: string): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text);
    if (isJsonObject(body)) return body;
  } catch {
    // Told below, as for any body that is not an object.
  }
  throw new ServiceError('ValidationException', 'The request body is not a JSON object.');
}

function toRequestId(text: string): string {
  const digits = digestOf(text, 32);
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20),
  ].join('-');
}
