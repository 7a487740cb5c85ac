// What Lambda's runtime does with a bundle: loads it once, then calls its handler for each event. Its arguments are
// the bundle's folder; events come in as lines of JSON, answers go out on file descriptor 3.
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const answer = (value) => writeSync(3, `${JSON.stringify(value)}\n`);
const startedAt = performance.now();
try {
  const { handler } = await import(pathToFileURL(join(process.argv[2], 'index.mjs')).href);
  answer({ ready: true, coldStartMs: performance.now() - startedAt });
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, event } = JSON.parse(line);
    try {
      answer({ id, output: (await handler(event, { awsRequestId: `request-${id}` })) ?? null });
    } catch (error) {
      answer({
        id,
        error: { errorType: error.name, errorMessage: error.message, trace: String(error.stack).split('\n') },
      });
    }
  }
} catch (error) {
  answer({ ready: false, error: { errorType: error.name, errorMessage: error.message } });
}
