import type { Command } from 'commander';
import { z } from 'zod';
import { JobRecord } from '../core/job-record.ts';
import { addRowCounts, PartLedger } from '../core/ledger.ts';
import { PreparedPart } from '../core/part.ts';
import { LOCAL_BUCKET } from '../local/local-target.ts';
import { createDirectoryStore } from '../store/directory-store.ts';
import { readJsonIfPresent } from '../store/json-object.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { CliContext } from './cli-context.ts';
import { count } from './format.ts';
import { findRun, type KnownRun } from './run-store.ts';
import { summaryJson, summaryLines } from './summary-view.ts';

/** `quarry status`: where a run stands. */
export function addStatusCommand(program: Command, { out }: CliContext): void {
  program
    .command('status')
    .argument('<run>', 'the run’s id')
    .description('Show where a run stands.')
    .option('--dir <directory>', 'the local store', '.quarry')
    .option('--json', 'print as JSON')
    .action(async (runId: string, { dir, json }: { dir: string; json?: boolean }) => {
      const store = createDirectoryStore(dir);
      const run = await findRun(store, LOCAL_BUCKET, runId);
      if (run.summary !== undefined) {
        out.write(
          json
            ? `${JSON.stringify(summaryJson(run.summary, dir), null, 2)}\n`
            : `${summaryLines(run.summary, dir).join('\n')}\n`,
        );
        return;
      }
      const state = await readProgress(run, store);
      out.write(json ? `${JSON.stringify(state, null, 2)}\n` : `${stateLines(state).join('\n')}\n`);
    });
}

/** What the files of an unfinished run tell. */
interface UnfinishedRun {
  run_id: string;
  status: 'unfinished';
  rows: { total: number; prepared: number; succeeded: number; failed: number; not_sent: number };
  parts: { planned: number; prepared: number; submitted: number; collected: number };
}

async function readProgress({ plan, layout }: KnownRun, store: ObjectStore): Promise<UnfinishedRun> {
  const prepared: PreparedPart[] = [];
  for (let slice = 0; slice < plan.slices; slice += 1) {
    prepared.push(
      ...((await readJsonIfPresent(store, layout.sliceParts(slice), z.array(PreparedPart))) ?? []),
    );
  }
  let submitted = 0;
  const ledgers: PartLedger[] = [];
  for (const { part_id } of prepared) {
    if ((await readJsonIfPresent(store, layout.job(part_id), JobRecord)) !== undefined) submitted += 1;
    const ledger = await readJsonIfPresent(store, layout.ledger(part_id), PartLedger);
    if (ledger !== undefined) ledgers.push(ledger);
  }
  const { total: _, ...rows } = addRowCounts(ledgers.map((ledger) => ledger.rows));
  return {
    run_id: plan.run_id,
    status: 'unfinished',
    rows: {
      total: plan.selected_rows,
      prepared: prepared.reduce((sum, part) => sum + part.rows, 0),
      ...rows,
    },
    parts: { planned: plan.parts, prepared: prepared.length, submitted, collected: ledgers.length },
  };
}

function stateLines({ run_id, rows, parts }: UnfinishedRun): string[] {
  return [
    `Run ${run_id} has not ended.`,
    '',
    `  prepared   ${count(rows.prepared, 'row')} of ${rows.total.toLocaleString('en-US')}, ${count(parts.prepared, 'part')} of ${parts.planned}`,
    `  submitted  ${count(parts.submitted, 'job')}`,
    `  collected  ${count(parts.collected, 'part')}: ${rows.succeeded} answered, ${rows.failed} failed, ${rows.not_sent} not sent`,
    '',
    'The same command again goes on where it stands.',
  ];
}
