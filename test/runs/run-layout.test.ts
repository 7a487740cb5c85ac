import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BEDROCK_S3_URI_PATTERN, parseS3Uri } from '../../src/core/s3-uri.ts';
import { type RunLayout, runLayout, runsUri, runUriOf } from '../../src/runs/run-layout.ts';

const anyRunId = fc.stringMatching(/^[a-zA-Z0-9](-?[a-zA-Z0-9]){0,29}$/);
const anyPartId = fc.stringMatching(/^(w\d{1,2}-)?p\d{5}(-\d{1,3})?$/);

/** Every URI of a layout, by what it is for. */
function urisOf(layout: RunLayout, partId: string, number: number): Record<string, string> {
  const {
    slice,
    sliceCopy,
    sliceParts,
    waveParts,
    waveItems,
    mergePlan,
    mergeItems,
    onDemandAnswer,
    ...rest
  } = layout;
  return {
    sliceParts: sliceParts(number),
    slice: slice(number),
    sliceCopy: sliceCopy(number),
    waveParts: waveParts(number),
    waveItems: waveItems(number),
    mergePlan: mergePlan(number),
    mergeItems: mergeItems(number),
    onDemandAnswer: onDemandAnswer(partId, number),
    ...Object.fromEntries(
      Object.entries(rest).map(([name, at]) => [name, typeof at === 'string' ? at : at(partId)]),
    ),
  };
}

test('every key of a run is one that Bedrock takes, below the run’s folder', () => {
  fc.assert(
    fc.property(anyRunId, anyPartId, fc.nat({ max: 99_999 }), (runId, partId, number) => {
      const runUri = runUriOf('quarry-111122223333', runId);
      const uris = urisOf(runLayout(runUri), partId, number);
      expect(runUri.startsWith(runsUri('quarry-111122223333'))).toBe(true);
      for (const [name, uri] of Object.entries(uris)) {
        expect(uri, name).toMatch(BEDROCK_S3_URI_PATTERN);
        expect(uri.length, name).toBeLessThanOrEqual(1024);
        expect(uri, name).toContain(`/${runId}`);
      }
      expect(new Set(Object.values(uris)).size).toBe(Object.keys(uris).length);
    }),
  );
});

test('a job’s input is a .jsonl file', () => {
  const layout = runLayout(runUriOf('bucket', 'r1'));
  expect(parseS3Uri(layout.records('p00001'))).toEqual({
    bucket: 'bucket',
    key: 'working/r1/parts/p00001/records.jsonl',
  });
});
