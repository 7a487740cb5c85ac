/**
 * One plan in a process of its own: `node reuse-task.ts KEY DIRECTORY URI`, where KEY is `dedupe` or `reuse`; with a fourth argument,
 * the address of S3, the store is there.
 */
import { systemClock } from '../src/core/clock.ts';
import { draftPlan } from '../src/steps/plan/draft-plan.ts';
import { createS3Client } from '../src/store/s3-client.ts';
import { createS3Store } from '../src/store/s3-store.ts';
import { localPlanDeps } from '../src/targets/local/local-target.ts';
import type { TaskReport } from './data-plane-task.ts';

/** What was found, beside what it took. */
export interface ReuseReport extends TaskReport {
  rows: number;
  reused: number;
  answers: number;
}

/** What the rows ask: the answers that are made for them have its keys. */
export const ASKED = { model_id: 'us.amazon.nova-lite-v1:0', prompt_template: 'What does it say? {text}' };

if (import.meta.main) {
  const [key = '', directory = '', s3_uri = '', endpoint] = process.argv.slice(2);
  const started = performance.now();
  const deps = localPlanDeps({ directory, clock: systemClock, version: '0.0.0' });
  const store = endpoint === undefined ? deps.store : s3StoreAt(endpoint, directory);
  const { plan } = await draftPlan({ ...ASKED, s3_uri, [key]: true }, { ...deps, store });
  const { user, system } = process.cpuUsage();
  const report: ReuseReport = {
    rows: plan.selected_rows,
    reused: plan.reuse?.rows ?? 0,
    answers: plan.reuse?.answers ?? 0,
    workSeconds: (performance.now() - started) / 1000,
    cpuSeconds: (user + system) / 1e6,
    peakMb: process.resourceUsage().maxRSS / 1024,
  };
  console.log(JSON.stringify(report));
}

function s3StoreAt(endpoint: string, scratchDirectory: string) {
  const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
  const client = createS3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  return createS3Store({ client, scratchDirectory });
}
