import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidRunInputError } from '../../src/core/errors.ts';
import { BEDROCK_S3_URI_PATTERN, joinS3Uri, parseS3Uri, toS3Uri } from '../../src/core/s3-uri.ts';

describe('an S3 URI', () => {
  test.each([
    ['s3://bucket', { bucket: 'bucket', key: '' }],
    ['s3://bucket/', { bucket: 'bucket', key: '' }],
    ['s3://my.bucket-1/a/b.csv', { bucket: 'my.bucket-1', key: 'a/b.csv' }],
    ['s3://bucket/a/', { bucket: 'bucket', key: 'a/' }],
    ['s3://bucket//a b=ü\n?', { bucket: 'bucket', key: '/a b=ü\n?' }],
  ])('%j has a bucket and a key', (uri, location) => {
    expect(parseS3Uri(uri)).toEqual(location);
  });

  test.each([
    '',
    'bucket/key',
    'S3://bucket/key',
    'http://bucket/key',
    's3://',
    's3:///key',
    's3://Bucket/key',
    's3://ab/key',
    's3://-bucket/key',
    `s3://${'b'.repeat(64)}/key`,
  ])('%j is none', (uri) => {
    expect(() => parseS3Uri(uri)).toThrow(InvalidRunInputError);
    expect(() => parseS3Uri(uri)).toThrow(
      `"${uri}" is not an S3 URI. Write s3://bucket/key, with a bucket name of 3 to 63 lower-case letters, digits, "-" or ".".`,
    );
  });

  test('is made of its bucket and key again', () => {
    const bucket = fc.stringMatching(/^[a-z0-9][-.a-z0-9]{1,20}[a-z0-9]$/);
    fc.assert(
      fc.property(bucket, fc.string({ unit: 'grapheme' }), (name, key) => {
        expect(parseS3Uri(toS3Uri({ bucket: name, key }))).toEqual({ bucket: name, key });
      }),
    );
  });
});

test('joining leaves exactly one slash', () => {
  expect(joinS3Uri('s3://bucket', 'a', 'b')).toBe('s3://bucket/a/b');
  expect(joinS3Uri('s3://bucket/a//', 'b')).toBe('s3://bucket/a/b');
  expect(joinS3Uri('s3://bucket/a', 'b', '')).toBe('s3://bucket/a/b/');
});

describe('Bedrock', () => {
  test.each([
    's3://bucket',
    's3://bucket/',
    's3://bucket/a',
    's3://bucket/a/',
    "s3://bucket/a-!_*'().b/c.jsonl",
  ])('takes %s', (uri) => {
    expect(uri).toMatch(BEDROCK_S3_URI_PATTERN);
  });

  test.each([
    's3://bucket/dt=2026-01-01/',
    's3://bucket/a b',
    's3://bucket/a@b',
    's3://bucket//a',
    's3://bucket/a//',
    's3://b/a',
    'bucket/a',
  ])('does not take %s', (uri) => {
    expect(uri).not.toMatch(BEDROCK_S3_URI_PATTERN);
  });
});
