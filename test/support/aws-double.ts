import { createServer } from 'node:http';
import { onTestFinished, vi } from 'vitest';

/** One call as the double got it. */
export interface DoubleCall {
  /** `DescribeExecution`, `GetCallerIdentity`; method and path where the protocol names no action. */
  action: string;
  /** The request: parsed JSON, or the fields of a form. */
  body: Record<string, unknown>;
  query: URLSearchParams;
}

/** What the double says. */
export interface DoubleAnswer {
  status?: number;
  headers?: Record<string, string>;
  /** An object is sent as JSON. */
  body: string | object;
}

/** What it says to an action (or to all that begin so, for a name that ends in `*`): always the same, one after the other (the last one for good), or as the call is. */
export type DoubleScript = Record<string, ScriptedAnswer>;

/** What it says to one action. */
export type ScriptedAnswer =
  | DoubleAnswer
  | DoubleAnswer[]
  | ((call: DoubleCall) => DoubleAnswer | Promise<DoubleAnswer>);

/** A scripted AWS. */
export interface AwsDouble extends AsyncDisposable {
  url: string;
  calls: DoubleCall[];
}

/** Starts an HTTP server that answers as scripted, whatever service is asked; 501 to anything else. */
export async function startAwsDouble(
  script: DoubleScript | ((action: string) => ScriptedAnswer | undefined),
): Promise<AwsDouble> {
  const calls: DoubleCall[] = [];
  const turns = new Map<string, number>();
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const url = new URL(request.url ?? '/', 'http://localhost');
    const call = toCall(request.method ?? 'GET', { url, text, target: request.headers['x-amz-target'] });
    calls.push(call);
    const key = typeof script === 'function' ? call.action : keyOf(script, call.action);
    const scripted = typeof script === 'function' ? script(key) : script[key];
    const turn = turns.get(key) ?? 0;
    turns.set(key, turn + 1);
    const answer =
      scripted === undefined
        ? { status: 501, body: `Nothing is scripted for ${call.action}.` }
        : typeof scripted === 'function'
          ? await scripted(call)
          : Array.isArray(scripted)
            ? (scripted[Math.min(turn, scripted.length - 1)] as DoubleAnswer)
            : scripted;
    const isJson = typeof answer.body !== 'string';
    response.writeHead(answer.status ?? 200, {
      'content-type': isJson ? 'application/json' : 'text/xml',
      ...answer.headers,
    });
    response.end(isJson ? JSON.stringify(answer.body) : answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function keyOf(script: DoubleScript, action: string): string {
  if (action in script) return action;
  return (
    Object.keys(script).find((key) => key.endsWith('*') && action.startsWith(key.slice(0, -1))) ?? action
  );
}

function toCall(
  method: string,
  { url, text, target }: { url: URL; text: string; target: string | string[] | undefined },
): DoubleCall {
  const query = url.searchParams;
  if (typeof target === 'string') {
    return { action: target.split('.').at(-1) ?? '', body: JSON.parse(text || '{}'), query };
  }
  const form = new URLSearchParams(text);
  const action = form.get('Action');
  if (action !== null) return { action, body: Object.fromEntries(form), query };
  return { action: `${method} ${url.pathname}`, body: text.startsWith('{') ? JSON.parse(text) : {}, query };
}

/** An error as the services with JSON say it. */
export function jsonError(name: string, message: string, status = 400): DoubleAnswer {
  return { status, headers: { 'x-amzn-errortype': name }, body: { __type: name, message } };
}

/** An error as the services with XML say it. */
export function xmlError(name: string, message: string, status = 400): DoubleAnswer {
  return {
    status,
    body: `<ErrorResponse><Error><Type>Sender</Type><Code>${name}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
  };
}

/** A result as the services with XML give it. */
export function xmlResult(action: string, xml: string): DoubleAnswer {
  return { body: `<${action}Response><${action}Result>${xml}</${action}Result></${action}Response>` };
}

/** What a client needs to call the double, once. */
export function doubleClientOptions(url: string) {
  return {
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  };
}

/** Lets every client of this process call the double until the test ends; undefined takes a variable away. */
export function stubAwsEnvironment(url: string, variables: Record<string, string | undefined> = {}): void {
  const all = {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    ...variables,
  };
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
}
