import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What Bedrock answers instead of what it would. */
export interface BedrockFault {
  status: number;
  name: string;
  message: string;
}

/** Stands before Bedrock's control plane, and answers in its place where it is told to. */
export interface BedrockProxy extends AsyncDisposable {
  url: string;
  /** `POST /model-invocation-job` of each request that came. */
  requests: string[];
  /** Decides about each request before it is handed on. */
  fault: (request: string) => BedrockFault | undefined;
}

/** Starts one on a free port of this machine. */
export async function startBedrockProxy(target: string): Promise<BedrockProxy> {
  const proxy = { requests: [] as string[], fault: (() => undefined) as BedrockProxy['fault'] };
  const server = createServer((incoming, response) => {
    void (async () => {
      const { method = 'GET', url = '/' } = incoming;
      const body = await buffer(incoming);
      const request = `${method} ${url.split('?')[0]}`;
      proxy.requests.push(request);
      const fault = proxy.fault(request);
      const headers = { 'content-type': 'application/json' };
      if (fault !== undefined) {
        response.writeHead(fault.status, { ...headers, 'x-amzn-errortype': fault.name });
        response.end(JSON.stringify({ message: fault.message }));
        return;
      }
      const answer = await fetch(`${target}${url}`, { method, ...(body.length === 0 ? {} : { body }) });
      const errorType = answer.headers.get('x-amzn-errortype');
      response.writeHead(answer.status, {
        ...headers,
        ...(errorType === null ? {} : { 'x-amzn-errortype': errorType }),
      });
      response.end(await answer.text());
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
