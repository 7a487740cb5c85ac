import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { HubFault } from './hub-double.ts';

/** A request under way, and what is to go wrong with it. */
export interface Call {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  fault: HubFault | undefined;
}

/** Answers with a file, as a server that knows ranges does. */
export async function sendFile(
  body: Buffer,
  { request, response, fault }: Call,
  headers: Record<string, string>,
): Promise<void> {
  if (fault?.kind === 'status') return refuse(response, fault.status, fault.headers ?? {});
  const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const ifRange = request.headers['if-range'];
  const isValid = ifRange === undefined || ifRange === headers.etag;
  const isRange = asked !== null && isValid && fault?.kind !== 'ignore_range';
  const start = isRange ? Number(asked[1]) : 0;
  if (start > 0 && start >= body.length) return refuse(response, 416, {});
  const end = isRange && asked[2] !== '' ? Math.min(Number(asked[2]), body.length - 1) : body.length - 1;
  const content = body.subarray(start, end + 1);
  const shift = fault?.kind === 'wrong_range' ? 1 : 0;
  response.writeHead(isRange ? 206 : 200, {
    ...headers,
    'accept-ranges': 'bytes',
    ...(fault?.kind === 'short' ? {} : { 'content-length': content.length }),
    ...(isRange ? { 'content-range': `bytes ${start + shift}-${end}/${body.length}` } : {}),
  });
  switch (fault?.kind) {
    case 'cut':
      response.write(content.subarray(0, fault.afterBytes));
      await fault.until;
      response.destroy();
      return;
    case 'stall':
      response.write(content.subarray(0, fault.afterBytes));
      return;
    case 'short':
      response.end(content.subarray(0, fault.afterBytes));
      return;
    case 'slow':
      for (let at = 0; at < content.length; at += fault.chunkBytes) {
        response.write(content.subarray(at, at + fault.chunkBytes));
        await wait(fault.pauseMs);
      }
      response.end();
      return;
    default:
      response.end(content);
  }
}

/** Answers with JSON. */
export function sendJson(
  response: ServerResponse,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

/** Answers with a refusal. */
export function refuse(response: ServerResponse, status: number, headers: Record<string, string>): void {
  response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify({ error: headers['x-error-message'] ?? `status ${status}` }));
}
