import { expect, test } from 'vitest';
import { InvalidRunInputError } from '../../../src/core/errors.ts';
import { workingFilesNotes } from '../../../src/steps/plan/working-files.ts';

/** So many full jobs, of which 20 run at once for nine hours each. */
function notesOf(jobs: number, workingFilesDays?: number): string[] {
  return workingFilesNotes({
    jobs: Array.from({ length: jobs }, () => 50_000),
    jobsInFlight: 20,
    workingFilesDays,
  });
}

test('a run that takes less than half of the time for which its records are kept has nothing to be said', () => {
  expect(notesOf(800, 30)).toEqual([]);
  expect(notesOf(100_000)).toEqual([]);
});

test('a run that may outlive its records is planned with a note of what to do', () => {
  // 8 million records: 54 rounds of nine hours.
  expect(notesOf(1080, 30)).toEqual([
    'With 20 jobs at once this run takes about 21 days, and the stack deletes the files below working/ after 30. Should jobs have to wait for Bedrock, its last records could be gone before they are sent. Deploy with -c workingFilesDays=42, or with more maxConcurrentJobs where the account’s quota allows them, or run the dataset in pieces (max_records).',
  ]);
});

test('a run that outlives its records by its own schedule is refused before anything is spent', () => {
  expect(() => notesOf(1700, 30)).toThrow(
    new InvalidRunInputError(
      'With 20 jobs at once this run takes about 32 days, and the stack deletes the files below working/ after 30: its last jobs would find their records gone. Deploy with -c workingFilesDays=64, or with more maxConcurrentJobs where the account’s quota allows them, or run the dataset in pieces (max_records).',
    ),
  );
});
