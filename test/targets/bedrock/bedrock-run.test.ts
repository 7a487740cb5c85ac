import { expect, test, vi } from 'vitest';
import { createVirtualClock } from '../../../src/core/clock.ts';
import type { S3Uri } from '../../../src/core/s3-uri.ts';
import type { EngineTarget } from '../../../src/targets/embedded/engine-target.ts';
import { type LocalRunResult, runLocally } from '../../../src/targets/embedded/run-locally.ts';
import { type BedrockWorld, BUCKET, openBedrockWorld, openWorldTarget } from '../../support/bedrock-world.ts';
import type { S3Request } from '../../support/s3-double.ts';

const DATASET: S3Uri = `s3://${BUCKET}/datasets/rows.csv`;

/** A run in virtual time, whose S3 can be made to fail. */
interface FaultyRun {
  world: BedrockWorld;
  run(): Promise<LocalRunResult>;
}

/** Rows of so many characters, and a target whose clients try once, or as often as they are told. */
async function prepareRun(rows: number, characters: number, attempts = 1): Promise<FaultyRun> {
  const clock = createVirtualClock();
  const world = await openBedrockWorld({ clock });
  vi.stubEnv('AWS_MAX_ATTEMPTS', String(attempts));
  const filler = 'x'.repeat(characters);
  await world.store.write(
    DATASET,
    `n\n${Array.from({ length: rows }, (_, index) => `${index} ${filler}\n`).join('')}`,
  );
  const open = (): EngineTarget => openWorldTarget(world, clock);
  return {
    world,
    run: async () => {
      await using target = open();
      return runLocally(
        {
          s3_uri: DATASET,
          model_id: 'us.amazon.nova-lite-v1:0',
          prompt_template: 'Say {n}',
          run_id: 'mine',
        },
        { target, random: () => 0.5 },
      );
    },
  };
}

async function expectMended({ world, run }: FaultyRun, rows: number): Promise<void> {
  world.s3.fault = () => undefined;
  const result = await run();
  expect(result).toMatchObject({
    kind: 'finished',
    summary: { status: 'succeeded', rows: { total: rows, succeeded: rows } },
  });
  const { totals, tracked } = await world.emulator.usage();
  expect(totals).toMatchObject({ jobs: 1, answered: rows });
  expect(tracked?.answeredMoreThanOnce).toEqual([]);
}

const isPartOf = (key: string, { path, query }: S3Request) =>
  path.endsWith(key) && query.get('partNumber') === '2';

test('an upload that is refused a part leaves no half object; the run says so, and goes on when S3 does', async () => {
  // A part of 16 MiB and a rest.
  const faulty = await prepareRun(100, 180_000);
  const { world, run } = faulty;
  world.s3.fault = (request) =>
    isPartOf('records.jsonl', request)
      ? { status: 500, code: 'InternalError', message: 'We encountered an internal error.' }
      : undefined;
  const result = await run();
  expect(result).toMatchObject({ kind: 'failed', error: 'ServiceUnavailableError', runId: 'mine' });
  expect((result as { message: string }).message).toMatch(/^Could not write s3:\/\/.*records\.jsonl: /);
  const left = [...world.s3.objects.keys()].filter((key) => key.includes('/parts/'));
  expect(left.filter((key) => key.endsWith('records.jsonl'))).toEqual([]);
  // Nobody takes the slice for prepared.
  expect([...world.s3.objects.keys()].filter((key) => key.includes('/working/mine/slices/'))).toEqual([]);
  expect((await world.emulator.usage()).totals).toMatchObject({ jobs: 0 });
  await expectMended(faulty, 100);
  expect(world.s3.objects.get(`${BUCKET}/working/mine/parts/p00001/records.jsonl`)?.length).toBeGreaterThan(
    100 * 180_000,
  );
}, 300_000);

test('an S3 that goes away after the job was sent ends the run with its name, and nothing is sent twice', async () => {
  const faulty = await prepareRun(150, 10);
  const { world, run } = faulty;
  let sent = false;
  world.s3.fault = ({ method, path }) => {
    // Where Collect writes.
    if (sent && /\/(?:output|ledger|faults)\//.test(path)) {
      return { status: 503, code: 'ServiceUnavailable', message: 'Please try again.' };
    }
    // Submit writes that it is about to create the job, and then that it has.
    const record = world.s3.objects.get(`${BUCKET}/runs/mine/jobs/p00001.json`);
    sent ||= method !== 'PUT' && record !== undefined && !record.includes('"job_arn": null');
    return undefined;
  };
  const result = await run();
  expect(sent).toBe(true);
  expect((await world.emulator.usage()).totals).toMatchObject({ jobs: 1 });
  expect(result).toMatchObject({ kind: 'failed', error: 'ServiceUnavailableError' });
  expect((result as { message: string }).message).toMatch(/S3 has a problem of its own: try again later/);
  await expectMended(faulty, 150);
}, 300_000);

test('faults of S3 that pass are not noticed', async () => {
  const faulty = await prepareRun(150, 10, 3);
  let requests = 0;
  faulty.world.s3.fault = ({ method }) => {
    requests += 1;
    if (requests % 11 === 0) return { status: 500, code: 'InternalError' };
    return requests % 13 === 0 && method !== 'HEAD' ? { loseAnswer: true } : undefined;
  };
  const result = await faulty.run();
  expect(result).toMatchObject({ kind: 'finished', summary: { rows: { succeeded: 150 } } });
  await expectMended(faulty, 150);
}, 300_000);
