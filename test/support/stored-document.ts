import { readFile } from 'node:fs/promises';

/** What a JSON file of a run holds, as it was before such files had checksums: written back, it is one of an earlier version. */
export async function readStored(path: string) {
  const { checksum: _, ...content } = JSON.parse(await readFile(path, 'utf8'));
  return Array.isArray(content.list) ? content.list : content;
}
