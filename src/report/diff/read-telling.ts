import type { TellingPair } from '../../rows/compare/telling-rows.ts';
import { readPlaces, type ShownRow } from '../../rows/results/read-places.ts';
import type { ResultFile } from '../../rows/results/read-results.ts';
import { piecesOf } from '../prompt-pieces.ts';
import type { ReportSource } from '../read-report.ts';
import type { TellingRow, TellingSide } from './run-diff.ts';

/** Characters of a prompt or an answer. */
const MAX_CHARACTERS = 2_000;
/** Bytes that are unpacked of each run for the rows to look at. */
const MAX_UNPACKED_BYTES = 512_000_000;
/** Of reworded answers that were drawn, those that have least in common. */
const MOST_REWORDED = 15;

/** The texts of pairs of rows; fewer where they would cost more bytes than they may. */
export async function readTelling(
  pairs: readonly TellingPair[],
  { a, b, files }: { a: ReportSource; b: ReportSource; files: Record<'a' | 'b', ResultFile[]> },
): Promise<TellingRow[]> {
  if (pairs.length === 0) return [];
  const ofA = await readSide(
    pairs.map((pair) => pair.a),
    { files: files.a, source: a },
  );
  const ofB = await readSide(
    pairs.map((pair) => pair.b),
    { files: files.b, source: b },
  );
  const rows = pairs.flatMap(({ a: placeA, b: placeB, why, distance, values }): TellingRow[] => {
    const [one, other] = [ofA.get(keyOf(placeA)), ofB.get(keyOf(placeB))];
    return one === undefined || other === undefined ? [] : [{ why, distance, values, a: one, b: other }];
  });
  const drawn = rows.filter(({ why }) => why.kind === 'words');
  const reworded = drawn
    .map((row) => ({ row, common: commonWords(row) }))
    .sort((x, y) => x.common - y.common)
    .slice(0, MOST_REWORDED)
    .map(({ row }) => row);
  return [...rows.filter(({ why }) => why.kind !== 'words'), ...reworded];
}

async function readSide(
  places: readonly { file: number; row: number }[],
  { files, source: { plan } }: { files: readonly ResultFile[]; source: ReportSource },
): Promise<Map<string, TellingSide>> {
  const found = await readPlaces(files, {
    places,
    pieces: piecesOf(plan),
    outputColumn: plan.variants[0].output_column,
    maxCharacters: MAX_CHARACTERS,
    maxBytes: MAX_UNPACKED_BYTES,
  });
  return new Map(found.map((row) => [keyOf(row), sideOf(row)]));
}

function keyOf({ file, row }: { file: number; row: number }): string {
  return `${file}/${row}`;
}

function sideOf({ record_id, prompt, answer, error_code, error_message }: ShownRow): TellingSide {
  return { record_id, prompt, answer: error_code === null ? answer : null, error_code, error_message };
}

/** The share of the words of two answers that both have. */
function commonWords({ a, b }: TellingRow): number {
  const wordsOf = ({ answer }: TellingSide) =>
    new Set((answer?.text ?? '').toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);
  const [one, other] = [wordsOf(a), wordsOf(b)];
  const all = one.union(other).size;
  return all === 0 ? 1 : one.intersection(other).size / all;
}
