/** A plan over an S3 prefix of many small objects: what it asks of S3 and holds in memory grows with them as it must, and no faster. */
import { expect, test } from 'vitest';
import { planOverObjects } from '../../../bench/small-files.ts';

/** Keys of one page of a listing. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
const PAGE_KEYS = 1_000;
/** The run's plan and its copy are looked for: there is none. */
const OTHER_GETS = 2;

test.each([
  { format: 'parquet', objects: 3_000 },
  { format: 'jsonl', objects: 1_000 },
] as const)(
  '$objects objects of $format: a page for each thousand and one request for each object, in bounded memory',
  { timeout: 300_000 },
  async ({ format, objects }) => {
    const few = await planOverObjects(100, format);
    const { rows, listings, gets, heads, others, peakMb, planBytes, slicesBytes } = await planOverObjects(
      objects,
      format,
    );
    expect({ rows, listings, gets, heads, others }).toEqual({
      rows: 3 * objects,
      listings: objects / PAGE_KEYS,
      gets: objects + OTHER_GETS,
      heads: 0,
      others: 0,
    });
    // 10 kB each would be a gigabyte for a hundred thousand.
    expect(peakMb - few.peakMb).toBeLessThan(100 + objects / 100);
    expect(planBytes).toBeLessThan(200 * objects);
    expect(slicesBytes).toBeLessThan(150 * objects);
  },
);
