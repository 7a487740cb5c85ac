import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { systemClock } from '../../src/core/clock.ts';
import { createS3Client } from '../../src/store/s3-client.ts';
import { putBootstrapVersion } from './bootstrap.ts';
import { CREDENTIALS, freePort, REGION } from './moto.ts';
import { CDK_OUT, readTemplate } from './synthesized.ts';

/** Account that MiniStack says it is. */
export const MINISTACK_ACCOUNT = '000000000000';

const ASSETS = `cdk-hnb659fds-assets-${MINISTACK_ACCOUNT}-${REGION}`;
const PYTHON = join(import.meta.dirname, '..', '..', '.venv', 'ministack', 'bin', 'python');
const STARTS_WITHIN_MS = 90_000;

/** A running MiniStack, with its IAM on and TLS, as the policies of buckets ask for it. */
export interface MiniStack extends AsyncDisposable {
  url: string;
  /** File of the certificate of its authority. */
  authority: string;
  /** All that it wrote. */
  log(): string;
}

/** Starts MiniStack on a free port; Bedrock is the emulator at this URL. This process trusts its certificate from then on. */
export async function startMiniStack(emulatorUrl: string): Promise<MiniStack> {
  const directory = await mkdtemp(join(tmpdir(), 'quarry-ministack-'));
  // server.key, server.pem and client.pem, which is the authority's certificate.
  await promisify(execFile)(PYTHON, ['-m', 'trustme', '--quiet', '-d', directory]);
  const authority = join(directory, 'client.pem');
  setDefaultCACertificates([...getCACertificates('default'), await readFile(authority, 'utf8')]);
  const port = await freePort();
  const server = spawn(PYTHON, [join(import.meta.dirname, 'ministack_server.py'), emulatorUrl], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: directory,
    env: {
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
      HOME: directory,
      TMPDIR: directory,
      AUTH: 'true',
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      LAMBDA_EXECUTOR: 'local',
      USE_SSL: '1',
      MINISTACK_SSL_CERT: join(directory, 'server.pem'),
      MINISTACK_SSL_KEY: join(directory, 'server.key'),
      S3_DATA_DIR: join(directory, 's3'),
      // Nobody waits for minutes here.
      SFN_WAIT_SCALE: '0.02',
      IOT_MTLS_ENABLED: '0',
      SFTP_ENABLED: '0',
      // Functions inherit what the server has.
      NODE_EXTRA_CA_CERTS: authority,
    },
  });
  let log = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.on('data', (chunk) => {
      log += chunk;
    });
  }
  const url = `https://127.0.0.1:${port}`;
  const isUp = () =>
    fetch(`${url}/_ministack/health`)
      .then(({ ok }) => ok)
      .catch(() => false);
  const close = async () => {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    if (server.exitCode === null && server.kill()) await ended;
    await rm(directory, { recursive: true, force: true });
  };
  for (const until = Date.now() + STARTS_WITHIN_MS; !(await isUp()); await systemClock.sleep(100)) {
    if (server.exitCode === null && Date.now() < until) continue;
    await close();
    throw new Error(`MiniStack did not start: ${log.slice(-5000)}`);
  }
  return { url, authority, log: () => log, [Symbol.asyncDispose]: close };
}

/** Deploys the synthesized stack with its real bundles; what it puts out, by name. */
export async function deployStack({ url }: MiniStack): Promise<Record<string, string>> {
  const client = { endpoint: url, region: REGION, credentials: CREDENTIALS };
  const s3 = createS3Client(client);
  const { text, resources } = readTemplate();
  await putBootstrapVersion(url);
  await putBundles(s3, resources);
  const cloudFormation = new CloudFormationClient(client);
  // As the CDK does: a template of more than 51,200 bytes comes from a bucket.
  await s3.send(new PutObjectCommand({ Bucket: ASSETS, Key: 'template.json', Body: text }));
  await cloudFormation.send(
    new CreateStackCommand({
      StackName: 'Quarry',
      TemplateURL: `${url}/${ASSETS}/template.json`,
      Capabilities: ['CAPABILITY_IAM'],
    }),
  );
  for (;;) {
    const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: 'Quarry' }));
    const [stack] = Stacks ?? [];
    if (stack?.StackStatus === 'CREATE_IN_PROGRESS') {
      await systemClock.sleep(200);
      continue;
    }
    if (stack?.StackStatus !== 'CREATE_COMPLETE') {
      throw new Error(`MiniStack does not create the stack: ${JSON.stringify(stack)}`);
    }
    cloudFormation.destroy();
    s3.destroy();
    return Object.fromEntries(
      (stack.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
    );
  }
}

/** Packs a folder without compressing it: nothing is gained by that within one machine. */
const PACK = `
import pathlib, sys, zipfile
folder = pathlib.Path(sys.argv[1])
with zipfile.ZipFile(sys.argv[2], "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
    for path in sorted(folder.rglob("*")):
        if path.is_file(): archive.write(path, path.relative_to(folder))
`;

async function putBundles(
  s3: S3Client,
  resources: ReturnType<typeof readTemplate>['resources'],
): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: ASSETS }));
  for (const { Type, Properties, Metadata } of Object.values(resources)) {
    if (Type !== 'AWS::Lambda::Function') continue;
    const folder = join(CDK_OUT, String(Metadata?.['aws:asset:path']));
    const file = join(await mkdtemp(join(tmpdir(), 'quarry-bundle-')), 'bundle.zip');
    await promisify(execFile)(PYTHON, ['-c', PACK, folder, file]);
    await s3.send(
      new PutObjectCommand({ Bucket: ASSETS, Key: Properties.Code.S3Key, Body: await readFile(file) }),
    );
    await rm(dirname(file), { recursive: true });
  }
}
