import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../../src/emulator/faults/seeded-random.ts';
import { simulatedAnswer } from '../../src/emulator/models/simulated-model.ts';
import { openDuckDb, sqlText } from '../../src/rows/duckdb/duckdb.ts';
import { LOCAL_BUCKET } from '../../src/targets/local/local-target.ts';
import { MODEL } from '../support/emulated-run.ts';
import { jpegOf, pngOf } from '../support/images.ts';
import { isPhotoNamed, type Photos, type Scenario } from './scenario.ts';

/** A row as it is in the dataset. */
export interface DatasetRow {
  n: number;
  id: string;
  /** What the prompt is made of; a row without it is not sent. */
  name: string | null;
  /** Which prompt it chooses, where rows choose. */
  kind: string;
  /** Its image, where rows show some. */
  photo: Photo | undefined;
}

/** An image of a row: the name of the file, and what that has, if there is one. */
interface Photo {
  file: string;
  bytes: Buffer | undefined;
  /** Why it cannot be sent. */
  fault: string | undefined;
}

/** The prompts that rows choose among; the first is that of all rows where they do not. */
const TEMPLATES: Readonly<Record<string, string>> = { say: 'Say {name}', tell: 'Tell {name}' };
/** Images that cannot be sent, and why. */
const UNSOUND: readonly (readonly [fault: string, bytes: Buffer | undefined])[] = [
  ['ImageNotFound', undefined],
  ['ImageFormatUnsupported', Buffer.from('no image')],
  ['ImageTooLarge', jpegOf(9_000, 2)],
];

/** Rows whose prompts differ, or not, in length too. */
export function rowsOf({
  dataset: { rows, format, distinct, nullEvery, photos, prompts },
}: Scenario): DatasetRow[] {
  return Array.from({ length: rows }, (_, n) => {
    const number = distinct === undefined ? n : (n * 7) % distinct;
    // CSV has no nulls.
    const isNull = nullEvery !== undefined && format !== 'csv' && n % nullEvery === nullEvery - 1;
    const isUnknown = prompts !== undefined && n % prompts.unknownEvery === prompts.unknownEvery - 1;
    const known = prompts !== undefined && number % 2 === 1 ? 'tell' : 'say';
    return {
      n,
      id: `id-${n}`,
      name: isNull ? null : `row ${number}${' and more'.repeat(number % 3)}`,
      kind: isUnknown ? 'shout' : known,
      photo: photos === undefined ? undefined : photoOf(n, photos, isInRows(format, photos)),
    };
  });
}

function isInRows(format: Scenario['dataset']['format'], { asBytes }: Photos): boolean {
  return asBytes && format === 'parquet';
}

function photoOf(n: number, { distinct, unsoundEvery }: Photos, inRows: boolean): Photo {
  if (n % unsoundEvery !== unsoundEvery - 1) {
    return { file: `${n % distinct}.png`, bytes: pngOf(4, 4, 1 + (n % distinct)), fault: undefined };
  }
  const [fault = '', bytes] = UNSOUND[Math.floor(n / unsoundEvery) % UNSOUND.length] ?? [];
  // In a row there is no image, or there is one.
  return { file: fault, bytes, fault: inRows && bytes === undefined ? 'NullPromptValue' : fault };
}

/** What a row asks, by which its answer is known; or why it asks nothing. */
export type AskedOf = { kind: 'asked'; prompt: string; digests: string[] } | { kind: 'unsent'; code: string };

/** What becomes of a row. */
export function askedOf({ name, kind, photo }: DatasetRow): AskedOf {
  const template = TEMPLATES[kind];
  if (template === undefined) return { kind: 'unsent', code: 'UnknownPromptId' };
  if (name === null) return { kind: 'unsent', code: 'NullPromptValue' };
  if (photo?.fault !== undefined) return { kind: 'unsent', code: photo.fault };
  const digests = photo?.bytes === undefined ? [] : [digestOf(photo.bytes.toString('base64'))];
  return { kind: 'asked', prompt: template.replace('{name}', name), digests };
}

/** The keys of the run input that say how rows are asked. */
export function promptKeysOf({ dataset }: Scenario): Record<string, unknown> {
  return {
    ...(dataset.prompts === undefined
      ? { prompt_template: TEMPLATES.say }
      : { prompt_id_column: 'kind', prompt_templates: TEMPLATES }),
    ...(dataset.photos === undefined ? {} : { image_columns: ['photo'] }),
    ...(isPhotoNamed(dataset) ? { files_folder: `s3://${LOCAL_BUCKET}/datasets/photos/` } : {}),
  };
}

/** Writes the dataset's files into the store below `directory`; their URI. */
export async function writeDataset(scenario: Scenario, directory: string): Promise<string> {
  const { format, files } = scenario.dataset;
  const folder = join(directory, LOCAL_BUCKET, 'datasets', 'chaos');
  await mkdir(folder, { recursive: true });
  const rows = rowsOf(scenario);
  if (isPhotoNamed(scenario.dataset))
    await writePhotos(rows, join(directory, LOCAL_BUCKET, 'datasets', 'photos'));
  const perFile = Math.ceil(rows.length / files);
  for (let start = 0, file = 0; start < rows.length; start += perFile, file += 1) {
    const path = join(folder, `${file}.${format}`);
    await writeRows(rows.slice(start, start + perFile), path, scenario.dataset);
  }
  return `s3://${LOCAL_BUCKET}/datasets/chaos${rows.length <= perFile ? `/0.${format}` : ''}`;
}

async function writePhotos(rows: readonly DatasetRow[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { photo } of rows) {
    if (photo?.bytes !== undefined) await writeFile(join(folder, photo.file), photo.bytes);
  }
}

async function writeRows(
  rows: readonly DatasetRow[],
  path: string,
  dataset: Scenario['dataset'],
): Promise<void> {
  const texts = rows.map(({ photo, ...row }) => ({ ...row, photo: photo?.file ?? '' }));
  switch (dataset.format) {
    case 'csv': {
      const lines = texts.map(({ n, id, name, kind, photo }) => `${n},${id},${name},${kind},${photo}\n`);
      return writeFile(path, `n,id,name,kind,photo\n${lines.join('')}`);
    }
    case 'jsonl':
      return writeFile(path, texts.map((row) => `${JSON.stringify(row)}\n`).join(''));
    case 'parquet': {
      await using db = await openDuckDb({ memoryMb: 64, threads: 1, scratchDirectory: join(path, '..') });
      const photoSql = ({ photo }: DatasetRow): string => {
        if (photo === undefined || isPhotoNamed(dataset)) return sqlText(photo?.file ?? '');
        return photo.bytes === undefined ? 'CAST(NULL AS BLOB)' : `unhex('${photo.bytes.toString('hex')}')`;
      };
      const values = rows.map((row) => {
        const name = row.name === null ? 'NULL' : sqlText(row.name);
        return `(${row.n}, ${sqlText(row.id)}, CAST(${name} AS VARCHAR), ${sqlText(row.kind)}, ${photoSql(row)})`;
      });
      await db.copy(
        `COPY (SELECT * FROM (VALUES ${values.join(', ')}) AS rows(n, id, name, kind, photo)) TO ${sqlText(path)} (FORMAT PARQUET)`,
      );
    }
  }
}

/** The answer that a row must have, as far as `max_tokens` lets it go, and whether it is cut off there. */
export function answerOf(
  { prompt, digests }: Extract<AskedOf, { kind: 'asked' }>,
  { keys }: Scenario,
): { text: string; isCut: boolean } {
  const shown = digests.map((digest) => ` It shows an image (png, 4 × 4 pixels) with the digest ${digest}.`);
  const whole = `${simulatedAnswer(MODEL, prompt)}${shown.join('')}`;
  const most = 4 * (keys.inference_parameters?.max_tokens ?? 1024);
  return { text: whole.slice(0, most), isCut: whole.length > most };
}
