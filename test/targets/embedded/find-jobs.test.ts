import { expect, test } from 'vitest';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { findJobs } from '../../../src/targets/embedded/find-jobs.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('of a run nothing else is listed than its jobs', async () => {
  const store = createDirectoryStore(await temporaryDirectory());
  const record = (part: string, arn: string | null) =>
    JSON.stringify({
      part_id: part,
      job_name: part,
      job_arn: arn,
      refusal: null,
      submitted_at: '2026-01-01T00:00:00Z',
    });
  for (const run of ['a', 'b']) {
    await store.write(`s3://mine/runs/${run}/jobs/p00001.json`, record('p00001', `arn-${run}`));
    await store.write(`s3://mine/runs/${run}/jobs/p00002.json`, record('p00002', null));
    await store.write(`s3://mine/runs/${run}/jobs/waiting/p00002.json`, '{}');
    await store.write(`s3://mine/runs/${run}/output/p00001.parquet`, 'rows');
  }
  const listed: string[] = [];
  const jobs = {
    async *listJobs() {
      for (const id of ['arn-a', 'arn-c']) yield { jobArn: id, outputUri: 's3://mine/working/a/' };
      yield { jobArn: 'arn-x', outputUri: 's3://other/working/a/' };
    },
    tagsOf: async () =>
      new Map([
        ['quarry:run', 'a'],
        ['quarry:part', 'p00001'],
      ]),
  } as unknown as Parameters<typeof findJobs>[0]['jobs'];
  const watched = {
    ...store,
    list: (prefix: Parameters<typeof store.list>[0]) => {
      listed.push(prefix);
      return store.list(prefix);
    },
  };
  const found = await findJobs({ store: watched, jobs, bucket: 'mine' });
  expect(found.map(({ jobArn, orphan }) => [jobArn, orphan])).toEqual([
    ['arn-a', false],
    ['arn-c', true],
  ]);
  expect(listed).toEqual(['s3://mine/runs/a/jobs/', 's3://mine/runs/b/jobs/']);
});
