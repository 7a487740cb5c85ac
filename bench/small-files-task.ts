/**
 * One measurement of a dataset of many small files, in a process of its own: `node small-files-task.ts TASK ARGUMENT...`. The
 * tasks: `plan FOLDER` and `run FOLDER` are the commands, `plan-objects ENDPOINT URI` plans over objects in S3.
 */
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { runCli } from '../src/cli/program.ts';
import { systemClock } from '../src/core/clock.ts';
import { draftPlan } from '../src/steps/plan/draft-plan.ts';
import { createS3Client } from '../src/store/s3-client.ts';
import { createS3Store } from '../src/store/s3-store.ts';
import { localPlanDeps } from '../src/targets/local/local-target.ts';
import type { TaskReport } from './data-plane-task.ts';

/** What was found, beside what it took. */
export interface SmallFilesReport extends TaskReport {
  rows: number;
}

/** The same of a plan over objects, with the bytes of its files. */
export interface PlannedObjectsReport extends SmallFilesReport {
  planBytes: number;
  slicesBytes: number;
}

/** What a run asks. */
const ASKED = { model_id: 'us.amazon.nova-lite-v1:0', prompt_template: 'What does it say? {text}' };

const [task = '', ...given] = process.argv.slice(2);
const started = performance.now();
const found = await run();
const { user, system } = process.cpuUsage();
const report: SmallFilesReport | PlannedObjectsReport = {
  ...found,
  workSeconds: (performance.now() - started) / 1000,
  cpuSeconds: (user + system) / 1e6,
  peakMb: process.resourceUsage().maxRSS / 1024,
};
console.log(JSON.stringify(report));

async function run(): Promise<Omit<SmallFilesReport | PlannedObjectsReport, keyof TaskReport>> {
  const [first = '', second = ''] = given;
  switch (task) {
    case 'plan':
    case 'run':
      return command(task, first);
    case 'plan-objects':
      return planObjects(first, second);
  }
  throw new Error(`There is no task "${task}".`);
}

/** A command of Quarry's, in a folder of its own. */
async function command(name: string, folder: string): Promise<{ rows: number }> {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'quarry-bench-'));
  const output = new PassThrough();
  const silent = new PassThrough().resume();
  const [out, err] = [output, silent] as unknown as [NodeJS.WriteStream, NodeJS.WriteStream];
  const texts: Buffer[] = [];
  output.on('data', (bytes: Buffer) => texts.push(bytes));
  const asked = ['--model-id', ASKED.model_id, '--prompt-template', ASKED.prompt_template];
  const args = [name, folder, ...asked, '--dir', directory.path, '--json'];
  const status = await runCli(args, { in: process.stdin, out, err, exitStatus: 0 });
  if (status !== 0) throw new Error(`quarry ${name} ended with ${status}.`);
  const { rows } = JSON.parse(Buffer.concat(texts).toString());
  return { rows: Number(rows.total ?? rows) };
}

async function planObjects(
  endpoint: string,
  uri: string,
): Promise<Omit<PlannedObjectsReport, keyof TaskReport>> {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'quarry-bench-'));
  const client = createS3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
  });
  const deps = localPlanDeps({ directory: directory.path, clock: systemClock, version: '0.0.0' });
  const store = createS3Store({ client, scratchDirectory: directory.path });
  const { plan, slices } = await draftPlan({ ...ASKED, s3_uri: uri }, { ...deps, store });
  return {
    rows: plan.dataset.rows,
    planBytes: JSON.stringify(plan).length,
    slicesBytes: JSON.stringify(slices).length,
  };
}
