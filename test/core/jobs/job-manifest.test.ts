import { expect, test } from 'vitest';
import { parseJobManifest } from '../../../src/core/jobs/job-manifest.ts';

test('a manifest is read with whatever else it holds', () => {
  const manifest = {
    totalRecordCount: 2400,
    processedRecordCount: 2400,
    successRecordCount: 2400,
    errorRecordCount: 0,
    inputTokenCount: 1_951_382,
    outputTokenCount: 405_633,
    cacheReadInputTokenCount: 0,
  };
  expect(parseJobManifest(JSON.stringify(manifest))).toEqual(manifest);
});

test('a manifest without token counts, or with null ones, is one', () => {
  const manifest = { totalRecordCount: 100, processedRecordCount: 7, outputTokenCount: null };
  expect(parseJobManifest(JSON.stringify(manifest))).toEqual(manifest);
});

test.each([
  '',
  '{"totalRecordCount": 1',
  '[]',
  'null',
  '{"totalRecordCount": "many"}',
  '{"errorRecordCount": -1}',
])('%s is no manifest', (text) => {
  expect(parseJobManifest(text)).toBeUndefined();
});
