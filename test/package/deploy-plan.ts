import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { promisify } from 'node:util';

// `quarry deploy --plan` out of the package, where AWS is a server that has no stack yet.
const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  if (body.includes('Action=GetCallerIdentity')) {
    return response.end(
      '<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>',
    );
  }
  response.statusCode = 400;
  response.end(
    '<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack with id Quarry does not exist</Message></Error></ErrorResponse>',
  );
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = server.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;
const { stdout } = await promisify(execFile)('npx', ['quarry', 'deploy', '--plan', '--json'], {
  env: {
    ...process.env,
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  },
  maxBuffer: 16 * 1024 ** 2,
});
server.close();
const { changes } = JSON.parse(stdout);
const functions = changes.resources.filter(({ type }: { type: string }) => type === 'AWS::Lambda::Function');
if (functions.length !== 9) throw new Error(`${functions.length} functions`);
