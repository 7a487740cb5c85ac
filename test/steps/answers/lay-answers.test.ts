import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createVirtualClock } from '../../../src/core/clock.ts';
import { PROOF_SQL } from '../../../src/rows/answers/answer-file.ts';
import { openDuckDb } from '../../../src/rows/duckdb/duckdb.ts';
import { resultColumnsOf } from '../../../src/rows/results/result-columns.ts';
import { answersFolderUri } from '../../../src/runs/answers-layout.ts';
import { runLayout, runUriOf } from '../../../src/runs/run-layout.ts';
import { folderOf } from '../../../src/steps/answers/asked.ts';
import { layAnswers, pinLaid } from '../../../src/steps/answers/lay-answers.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { LOCAL_BUCKET, localPlanDeps } from '../../../src/targets/local/local-target.ts';
import { ANTHROPIC, query, writeParquet } from '../../support/rows.ts';
import { storeOf } from '../../support/step-policies.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ASKED = { answerer: 'bedrock', modelId: 'm', invocationType: 'InvokeModel' } as const;
const columns = resultColumnsOf({ shape: ANTHROPIC, outputColumn: undefined, recordIdColumn: undefined });

/** A store, and a plan in it that looks for the answers of two rows, which ask `a` and `b`. */
async function openPlan() {
  const directory = await temporaryDirectory();
  const deps = {
    ...localPlanDeps({ directory, clock: createVirtualClock(), version: '0.0.0' }),
    store: createDirectoryStore(directory),
  };
  const ofPlan = { ...deps, store: storeOf('plan', deps.store, { bucket: LOCAL_BUCKET }) };
  const layout = runLayout(runUriOf(LOCAL_BUCKET, 'run-2'));
  const keep = async (asks: string, answer: string) => {
    const { path } = await writeParquet(
      `${asks}.parquet`,
      `SELECT *, ${PROOF_SQL} AS proof FROM (SELECT encode('${asks}') AS key, 'r0' AS record_id, '${answer}' AS answer, 'end_turn' AS stop_reason, 1::BIGINT AS input_tokens, 2::BIGINT AS output_tokens, 'run-1' AS run_id, '2026-01-01T00:00:00.000Z' AS answered_at)`,
    );
    await deps.store.putFile(path, `${answersFolderUri(LOCAL_BUCKET, folderOf(ASKED, deps))}${asks}.parquet`);
  };
  /** What one call of Plan finds, as answers by their rows. */
  const lay = async (inputHash: string, name: string) => {
    const scratchDirectory = join(directory, name);
    await mkdir(scratchDirectory);
    await using db = await openDuckDb({ memoryMb: 256, threads: 1, scratchDirectory });
    await db.run(
      `CREATE TABLE requests AS SELECT encode(text) AS digest, CAST(NULL AS VARCHAR) AS id FROM (VALUES ('a'), ('b')) AS asked(text)`,
    );
    const laid = await layAnswers(db, { layout, inputHash, asked: ASKED, columns, scratchDirectory }, ofPlan);
    const rows =
      laid.laid === undefined ? [] : await query(`SELECT answer FROM '${laid.laid.path}' ORDER BY "row"`);
    return {
      ...laid,
      found: rows.map(({ answer }) => answer),
      pin: () => pinLaid(laid, { layout, inputHash }, ofPlan),
    };
  };
  return { keep, lay, layout, deps };
}

test('a plan that is made again takes the answers that the first call pinned, whatever is kept since', async () => {
  const { keep, lay } = await openPlan();
  await keep('a', 'A');
  const first = await lay('hash-1', 'first');
  expect([first.found, first.isPinned]).toEqual([['A'], false]);
  const facts = await first.pin();
  await keep('b', 'B');
  const again = await lay('hash-1', 'again');
  expect([again.found, again.isPinned, again.answers]).toEqual([['A'], true, 1]);
  expect(facts?.bytes).toBeGreaterThan(0);
  // Another input under the same run id is another plan.
  expect((await lay('hash-2', 'other')).found).toEqual(['A', 'B']);
});

test('that there was nothing is pinned too', async () => {
  const { keep, lay } = await openPlan();
  expect(await (await lay('hash-1', 'first')).pin()).toBeUndefined();
  await keep('a', 'A');
  expect(await lay('hash-1', 'again')).toMatchObject({ found: [], isPinned: true });
});

test('of two calls of Plan at once, which found different answers, the later one is told to plan again', async () => {
  const { keep, lay } = await openPlan();
  const early = await lay('hash-1', 'early');
  await keep('a', 'A');
  const late = await lay('hash-1', 'late');
  await late.pin();
  await expect(early.pin()).rejects.toMatchObject({
    name: 'ServiceUnavailableError',
    message: expect.stringContaining('Another call has found other answers of former runs'),
  });
  expect((await lay('hash-1', 'third')).found).toEqual(['A']);
});

test('pinned answers that are damaged are not taken, and are named', async () => {
  const { keep, lay, layout, deps } = await openPlan();
  await keep('a', 'A');
  const first = await lay('hash-1', 'first');
  const facts = await first.pin();
  await deps.store.write(layout.laid(facts?.sha256 ?? ''), 'no Parquet');
  await expect(lay('hash-1', 'again')).rejects.toMatchObject({
    name: 'DamagedFileError',
    message: expect.stringContaining('Start a new run under another run_id: nothing was sent for this one.'),
  });
});
