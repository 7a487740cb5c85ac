import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An OpenAI-compatible server that shouts the prompt back, as strict about names and keys as Ollama and vLLM are. */
export interface ModelServerDouble extends AsyncDisposable {
  /** Ends in `/v1`. */
  url: string;
  port: number;
  /** Requests for an answer; not those for the list of models. */
  requests: ModelServerRequest[];
  maxInFlight(): number;
}

export interface ModelServerRequest {
  path: string;
  body: Record<string, unknown>;
  /** The last message, or the text to embed. */
  text: string;
  /** Milliseconds since 1970. */
  atMs: number;
}

/** What a request gets instead of an answer. */
export interface Instead {
  status: number;
  text: string;
  headers?: Record<string, string>;
}

export interface DoubleOptions {
  /** Names that it knows; any unless given. */
  models?: readonly string[];
  apiKey?: string;
  port?: number;
  /** Undefined for the usual answer, `cut` for a connection that is cut, `silence` for none at all. */
  instead?: (request: ModelServerRequest, number: number) => Instead | 'cut' | 'silence' | undefined;
}

const JSON_TYPE = { 'content-type': 'application/json' };

export async function openModelServer(options: DoubleOptions = {}): Promise<ModelServerDouble> {
  const requests: ModelServerRequest[] = [];
  let inFlight = 0;
  let most = 0;
  const server = createServer(async (request, response) => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    try {
      await answer(request, response, options, requests);
    } finally {
      inFlight -= 1;
    }
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    port,
    requests,
    maxInFlight: () => most,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { models, apiKey, instead }: DoubleOptions,
  requests: ModelServerRequest[],
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const path = request.url ?? '';
  if (apiKey !== undefined && request.headers.authorization !== `Bearer ${apiKey}`) {
    return void response.writeHead(401, JSON_TYPE).end('{"error":{"message":"Incorrect API key provided"}}');
  }
  if (request.method === 'GET' && path === '/v1/models') {
    const data = (models ?? []).map((id) => ({ id, object: 'model' }));
    return void response.writeHead(200, JSON_TYPE).end(JSON.stringify({ object: 'list', data }));
  }
  if (path !== '/v1/chat/completions' && path !== '/v1/embeddings') {
    return void response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found');
  }
  const body = JSON.parse(Buffer.concat(chunks).toString());
  const text = String(body.messages?.at(-1)?.content ?? body.input);
  const asked = { path, body, text, atMs: Date.now() };
  const number = requests.push(asked);
  // Several requests are in flight at once where the client lets them.
  await new Promise((resolve) => setImmediate(resolve));
  const other = instead?.(asked, number);
  if (other === 'cut') return void request.socket.destroy();
  if (other === 'silence') return;
  if (other !== undefined) return void response.writeHead(other.status, other.headers).end(other.text);
  if (models !== undefined && !models.includes(body.model)) {
    const message = `model "${body.model}" not found, try pulling it first`;
    return void response
      .writeHead(404, JSON_TYPE)
      .end(JSON.stringify({ error: { message, type: 'api_error' } }));
  }
  response.writeHead(200, JSON_TYPE).end(JSON.stringify(usualAnswer(path, text, body)));
}

function usualAnswer(path: string, text: string, body: Record<string, unknown>): object {
  if (path === '/v1/embeddings') return { data: [{ embedding: [3, 4] }], usage: { prompt_tokens: 7 } };
  return {
    choices: [
      {
        message: { role: 'assistant', content: text.toUpperCase() },
        finish_reason: text.includes('long') || body.max_tokens === 1 ? 'length' : 'stop',
      },
    ],
    ...(text.includes('free') ? {} : { usage: { prompt_tokens: 11, completion_tokens: 13 } }),
  };
}
