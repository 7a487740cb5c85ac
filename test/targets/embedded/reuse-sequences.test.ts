import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { simulatedAnswer } from '../../../src/emulator/models/simulated-model.ts';
import { LOCAL_BUCKET, sha256 } from '../../../src/targets/local/local-target.ts';
import { stageDataset } from '../../../src/targets/local/stage-dataset.ts';
import { MODEL, openEmulatedTarget, outputRows, runEmulated } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

vi.setConfig({ testTimeout: 240_000 });

/** A dataset and how it is asked, as they are at one time. */
interface State {
  names: string[];
  verb: string;
  temperature: number | undefined;
}

type Edit = (state: State) => State;

const place = fc.nat({ max: 30 });
const word = fc.constantFrom('ant', 'bee', 'cat', 'dog', 'eel', 'fox', 'gnu', 'hen');
const at = (index: number, { names }: State) => (names.length === 0 ? 0 : index % names.length);

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.array(word, { minLength: 1, maxLength: 4 }).map(
    (added): Edit =>
      (state) => ({ ...state, names: [...state.names, ...added] }),
  ),
  fc.tuple(place, word).map(
    ([index, name]): Edit =>
      (state) => ({ ...state, names: state.names.with(at(index, state), name) }),
  ),
  place.map(
    (index): Edit =>
      (state) =>
        state.names.length === 1 ? state : { ...state, names: state.names.toSpliced(at(index, state), 1) },
  ),
  fc.constant<Edit>((state) => ({ ...state, names: state.names.toReversed() })),
  fc.constantFrom('Say', 'Sing').map(
    (verb): Edit =>
      (state) => ({ ...state, verb }),
  ),
  fc.constantFrom(undefined, 0.5).map(
    (temperature): Edit =>
      (state) => ({ ...state, temperature }),
  ),
);

const history = fc.record({
  first: fc.array(word, { minLength: 1, maxLength: 8 }),
  edits: fc.array(edit, { minLength: 1, maxLength: 4 }),
  quotas: fc.constantFrom(
    { minRecordsPerJob: 2, maxRecordsPerJob: 4 },
    { minRecordsPerJob: 100, maxRecordsPerJob: 1000 },
  ),
});

test('whatever becomes of dataset and parameters, the table is a fresh run’s, and exactly the new requests are sent', async () => {
  await fc.assert(
    fc.asyncProperty(history, async ({ first, edits, quotas }) => {
      const directory = await temporaryDirectory();
      await using emulated = await openEmulatedTarget({ directory, quotas });
      const asked = new Set<string>();
      let state: State = { names: first, verb: 'Say', temperature: undefined };
      for (const [number, next] of [(same: State) => same, ...edits].entries()) {
        state = next(state);
        const path = join(directory, `state-${number}.csv`);
        await writeFile(path, `name\n${state.names.map((name) => `${name}\n`).join('')}`);
        const { uri: s3_uri } = await stageDataset(path, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
        const { verb, temperature } = state;
        const result = await runEmulated(
          {
            s3_uri,
            model_id: MODEL,
            prompt_template: `${verb} {name}`,
            run_id: `run-${number}`,
            reuse: true,
            ...(temperature === undefined ? {} : { inference_parameters: { temperature } }),
          },
          { target: emulated.target, random: () => 0.5 },
        );
        const rows = await outputRows(result, directory);
        expect(rows.map(({ name, response, error_code }) => [name, response, error_code])).toEqual(
          state.names.map((name) => [name, simulatedAnswer(MODEL, `${verb} ${name}`), null]),
        );
        for (const name of state.names) asked.add(`${verb} ${name} ${temperature}`);
        const { totals, onDemand, tracked } = await emulated.emulator.usage();
        expect(totals.answered + onDemand.calls).toBe(asked.size);
        expect(tracked?.bodiesAnsweredMoreThanOnce).toEqual([]);
      }
    }),
    { numRuns: 5, seed: 28 },
  );
});
