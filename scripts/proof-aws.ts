import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { DeleteBucketCommand } from '@aws-sdk/client-s3';
import { systemClock } from '../src/core/clock.ts';
import { planDeployment } from '../src/deploy/deploy-stack.ts';
import { planDestruction } from '../src/deploy/destroy-stack.ts';
import { Quarry, VERSION } from '../src/index.ts';
import { openStack } from '../src/quarry/open-stack.ts';
import { createS3Client } from '../src/store/s3-client.ts';
import { createS3Store } from '../src/store/s3-store.ts';
import { testAlarm } from './proof/alarm-test.ts';
import { reportOf, reportText } from './proof/proof-report.ts';
import { type ProofAccount, proveDeployment } from './proof/prove-deployment.ts';

// npm run proof:aws -- --rows 200: deploys a stack of its own into your account, runs rows in it, and destroys it. What differed from
// what the emulator assumes is a report, which can be sent in.
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '200' },
    'model-id': { type: 'string', default: 'us.amazon.nova-micro-v1:0' },
    stack: { type: 'string', default: 'QuarryProof' },
    region: { type: 'string' },
    profile: { type: 'string' },
    report: { type: 'string', default: 'quarry-proof' },
    'with-names': { type: 'boolean', default: false },
    yes: { type: 'boolean', default: false },
  },
});
const rows = Number(values.rows);
if (!(Number.isInteger(rows) && rows >= 200 && rows <= 2000)) {
  fail(
    `--rows ${values.rows}: give a whole number from 200, which are two jobs of Bedrock's least, to 2000.`,
  );
}
const say = (text: string) => process.stderr.write(text);
const { stack: stackName, region, profile, 'model-id': modelId } = values;

await using deployment = await planDeployment({ stackName, context: { pollSeconds: '60' }, region, profile });
const { plan } = deployment;
if (plan.status !== null) {
  fail(
    `There is a stack "${stackName}" already (${plan.status}). Give --stack another name: this one is destroyed at the end.`,
  );
}
say(
  `This creates the stack "${stackName}" in ${plan.region} of account ${plan.account}, runs ${rows} rows of ${modelId} in two jobs, cancels and resumes them, sets an alarm off, and deletes the stack and its bucket. It takes an hour or more, as Bedrock's jobs wait, and costs less than $0.05.\n`,
);
if (!values.yes) await requireYes();

const at = { region: plan.region, ...(profile === undefined ? {} : { profile }) };
const folder = await mkdtemp(join(tmpdir(), 'quarry-proof-'));
let bucket: string | undefined;
const account: ProofAccount = {
  quarry: new Quarry({ target: 'aws', directory: folder, stack: stackName, ...at }),
  openTarget: () => openStack({ stack_name: stackName, region: plan.region, profile: profile ?? null }),
  testAlarm: () => testAlarm({ stackName, region: plan.region, profile, clock: systemClock }),
  deploy: async () => {
    const { outputs } = await deployment.deploy({ onProgress: say, signal: new AbortController().signal });
    bucket = outputs.bucketName;
  },
  destroy: async () => {
    await using destruction = await planDestruction({ stackName, region: plan.region, profile }, systemClock);
    await destruction.destroy({ onProgress: say, signal: new AbortController().signal });
    if (bucket !== undefined) await deleteBucket(bucket);
  },
};
const seen = await proveDeployment(account, { rows, modelId, clock: systemClock, tell: say });
await rm(folder, { recursive: true, force: true });
const names = values['with-names'] ? null : { account: plan.account, bucket };
const report = reportOf(seen, {
  names,
  rows,
  model_id: modelId,
  region: plan.region,
  quarry_version: VERSION,
});
await writeFile(`${values.report}.json`, `${JSON.stringify(report, null, 2)}\n`);
await writeFile(`${values.report}.txt`, reportText(report));
process.stdout.write(reportText(report));
say(
  `Written to ${values.report}.json and ${values.report}.txt. Neither has an account id, a bucket's name or a row in it, unless --with-names was given.\n`,
);
const isAllWell =
  Object.keys(seen.failed).length === 0 && report.findings.every(({ verdict }) => verdict !== 'differs');
process.exitCode = isAllWell ? 0 : 2;

async function requireYes(): Promise<void> {
  if (!process.stdin.isTTY)
    fail(
      'Nothing was changed: there is no terminal to ask on. Give --yes where it is to be done all the same.',
    );
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question('Do it? (y/N) ');
  terminal.close();
  if (!/^y(?:es)?$/i.test(answer.trim())) fail('Nothing was changed.');
}

/** Of the proof's own stack; what is in it was made by the proof. */
async function deleteBucket(name: string): Promise<void> {
  const client = createS3Client(at);
  const store = createS3Store({ client, scratchDirectory: folder });
  for await (const { uri } of store.list(`s3://${name}/`)) await store.delete(uri);
  await client.send(new DeleteBucketCommand({ Bucket: name }));
  client.destroy();
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
