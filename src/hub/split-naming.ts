import { appendTo } from './append-to.ts';
import { matchPattern } from './file-pattern.ts';

/** The splits that names are searched for, and the words that mean each; as the `datasets` library has them. */
export const SPLIT_KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  train: ['train', 'training'],
  validation: ['validation', 'valid', 'dev', 'val'],
  test: ['test', 'testing', 'eval', 'evaluation'],
};

/** What may stand beside a split's word. */
const SEPARATOR = '[-._ 0-9]';

/** `data/train-00000-of-00009.parquet`, and with a hash behind the count. */
const SHARD = /^data\/(?<split>[^/]+)-(?<index>\d{5})-of-(?<count>\d{5})[^/]*\.[^/]*$/;

/**
 * The files of each split by the usual naming, where the dataset card says nothing: `data/<split>-00000-of-00009.*`;
 * else a split's word in folder names; else in file names; else all files are `train`. Files keep the order given.
 * https://huggingface.co/docs/hub/datasets-file-names-and-splits
 */
export function filesBySplit(paths: readonly string[]): Map<string, string[]> {
  const files = matchPattern('**', paths);
  const bySplit = new Map<string, string[]>();
  for (const file of files) {
    const split = SHARD.exec(file)?.groups?.split;
    if (split !== undefined) appendTo(bySplit, split, file);
  }
  for (const toPattern of [toFolderPattern, toFilePattern]) {
    if (bySplit.size > 0) break;
    for (const [split, keywords] of Object.entries(SPLIT_KEYWORDS)) {
      const pattern = toPattern(keywords.join('|'));
      const named = files.filter((file) => pattern.test(file));
      if (named.length > 0) bySplit.set(split, named);
    }
  }
  if (bySplit.size === 0 && files.length > 0) bySplit.set('train', files);
  return bySplit;
}

/** The shards that a set of `…-00000-of-00009` files lacks, as their index and count; a set that is whole lacks none. */
export function missingShards(paths: readonly string[]): { index: number; count: number }[] {
  const indexesByCount = new Map<number, Set<number>>();
  for (const path of paths) {
    const { index, count } = SHARD.exec(path)?.groups ?? {};
    if (index === undefined || count === undefined) continue;
    const indexes = indexesByCount.get(Number(count)) ?? new Set();
    indexesByCount.set(Number(count), indexes.add(Number(index)));
  }
  return [...indexesByCount].flatMap(([count, indexes]) =>
    Array.from({ length: count }, (_, index) => ({ index, count })).filter(
      ({ index }) => !indexes.has(index),
    ),
  );
}

function toFolderPattern(words: string): RegExp {
  return new RegExp(`(?:^|/|${SEPARATOR})(?:${words})(?:${SEPARATOR}[^/]*)?/`);
}

function toFilePattern(words: string): RegExp {
  return new RegExp(`(?:^|/|${SEPARATOR})(?:${words})${SEPARATOR}[^/]*$`);
}
