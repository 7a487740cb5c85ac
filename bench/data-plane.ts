/**
 * Measures the data plane beside a plain copy of the same bytes, beside the same work row by row in TypeScript and, where
 * `.venv/bench` is there (scripts/bench-python.sh), in Python: `npm run bench -- [rows] [--rounds N] [--small]`. Every
 * measurement is a process of its own, so that its peak memory is its own; Quarry's code is built as its command is.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from '../scripts/bundle.ts';
import { compareRecords, compareResults } from './compare-outputs.ts';
import {
  PART_ROWS,
  partsOf,
  writeEmbeddedRows,
  writeEmbeddingOutput,
  writeInput,
  writeTextOutput,
} from './made-data.ts';
import {
  addMeasured,
  type Compared,
  type ComparedRuns,
  type Measured,
  measureProcess,
  measureRuns,
} from './measured-process.ts';
import { measureSmallFiles } from './small-files.ts';

/** One of the figures to reach. */
interface Figure {
  what: string;
  asked: string;
  measured: number | undefined;
  isMet: (measured: number) => boolean;
}

const PYTHON = '.venv/bench/bin/python';
const SMALL_ROWS = 22_000;
const SMALL_FILES = 200;
/** More rows than these are measured in one round, and take longer to compare than to measure. */
const MANY_ROWS = 220_000;
const SCRIPT = join(import.meta.dirname, '.data', 'data-plane-task.mjs');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    small: { type: 'boolean', default: false },
    dir: { type: 'string', default: tmpdir() },
    rounds: { type: 'string' },
  },
});
const rows = Number(positionals[0] ?? (values.small ? SMALL_ROWS : MANY_ROWS));
const rounds = Number(values.rounds ?? (values.small || rows > MANY_ROWS ? 1 : 3));
const hasPython = spawnSync(PYTHON, ['--version']).status === 0;
await main();

async function main(): Promise<void> {
  await bundle(join(import.meta.dirname, 'data-plane-task.ts'), SCRIPT);
  await mkdir(values.dir, { recursive: true });
  const directory = await mkdtemp(join(values.dir, 'quarry-bench-'));
  const load = loadavg().map((value) => value.toFixed(1));
  say(
    `${rows} rows, median of ${rounds}; ${cpus()[0]?.model.trim()}, ${cpus().length} cores, load ${load.join(' ')}`,
  );
  try {
    const prepared = await measurePrepare(directory);
    const collected = await measureCollect(directory);
    const embedded = await measureEmbeddings(directory, values.small ? 2_000 : PART_ROWS);
    // Of a few rows, most of the time is the processes' start.
    if (!values.small) printFigures([...prepared, ...collected, ...embedded]);
    else await measureSmallFiles({ files: SMALL_FILES, rowsPerFile: 20, rounds: 1, withRun: true, say });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function measurePrepare(directory: string): Promise<Figure[]> {
  const csv = await measureFormat(directory, 'input.csv', { isRecipes: true });
  const jsonl = await measureFormat(directory, 'input.jsonl');
  const large = await measureFormat(directory, 'input.parquet');
  // Last, as Collect goes on with it.
  const parquet = await measureFormat(directory, 'input-10k.parquet', { isRecipes: true });
  const from10k = 'prepare from Parquet, row groups of 10,240';
  return [
    memoryOf('prepare from CSV', csv),
    memoryOf('prepare from JSONL', jsonl),
    memoryOf('prepare from Parquet, row groups of 122,880', large),
    memoryOf(from10k, parquet),
    timesCopy(from10k, 3.5, parquet),
    timesPython(`${from10k}, Python from CSV`, 8, { ...csv, quarry: parquet.quarry }),
    timesPython(`${from10k}, Python too`, 8, parquet),
    timesPython('prepare from CSV, Python too', 8, csv),
  ];
}

async function measureFormat(directory: string, name: string, { isRecipes = false } = {}): Promise<Compared> {
  await writeInput(directory, rows, name);
  if (name === 'input-10k.parquet') {
    const compressed = await measureRuns(rounds, prepareRuns(directory, 'prepare-for-network', name));
    print(`prepare ${name}, rows snappy`, rows, compressed);
  }
  const runs = prepareRuns(directory, 'prepare', name);
  const python = () => measurePython(directory, 'recipe', 'prepare', directory, name, String(rows));
  const measured = await measureRuns(rounds, isRecipes && hasPython ? { ...runs, python } : runs);
  print(`prepare ${name}`, rows, measured);
  if (isRecipes) comparePython(measured);
  if (measured.python !== undefined) {
    await expectSameRecords(
      directory,
      partsOf(rows).map((_, index) => `recipe/${index}.jsonl`),
    );
  }
  if (name === 'input.parquet') {
    const typescript = await measure(directory, 'row-by-row.jsonl', 'row-by-row-prepare', name);
    compare('TypeScript, no Parquet written', measured.quarry, typescript);
    await expectSameRecords(directory, ['row-by-row.jsonl']);
    await rm(join(directory, 'row-by-row.jsonl'));
  }
  return measured;
}

function prepareRuns(directory: string, task: string, name: string): ComparedRuns {
  const written = partsOf(rows).flatMap((_, index) => [`parts/${index}.jsonl`, `parts/${index}.parquet`]);
  return {
    quarry: async () => {
      // Two steps: what Plan does with a dataset, and Prepare.
      const described = await measure(directory, 'dataset.json', 'describe', name);
      return addMeasured(described, await measure(directory, 'parts', task, name));
    },
    plain: () => measureCopy(directory, { read: [name], written }),
  };
}

async function measureCollect(directory: string): Promise<Figure[]> {
  const parts = partsOf(rows);
  const namesOf = (ending: string) => parts.map((_, index) => `parts/${index}.${ending}`);
  for (const index of parts.keys()) {
    const path = join(directory, `parts/${index}`);
    await writeTextOutput(`${path}.jsonl`, `${path}.out`);
    await rm(`${path}.jsonl`);
  }
  const inputs = [...namesOf('out'), ...namesOf('parquet')];
  const recipeInputs = hasPython ? parts.map((_, index) => `recipe/${index}.parquet`) : [];
  // What was done before may have pushed them out of memory.
  await measure(directory, [], 'copy', '0', ...inputs, ...recipeInputs);
  const one = await measureRuns(rounds, {
    quarry: () => measure(directory, 'parts/0.result.parquet', 'collect', '0'),
    plain: () =>
      measureCopy(directory, {
        read: ['parts/0.out', 'parts/0.parquet'],
        written: ['parts/0.result.parquet'],
      }),
  });
  print('collect one part', parts[0]?.rows ?? 0, one);
  const typescript = await measure(directory, 'row-by-row.parquet', 'row-by-row-collect');
  compare('TypeScript', one.quarry, typescript);
  const [results, recipes] = [
    namesOf('result.parquet'),
    parts.map((_, index) => `recipe/${index}.result.parquet`),
  ];
  const runs = {
    quarry: () => measure(directory, results, 'collect', 'all'),
    plain: () => measureCopy(directory, { read: inputs, written: results }),
  };
  const python = () => measurePython(directory, recipes, 'collect', directory);
  const all = await measureRuns(rounds, hasPython ? { ...runs, python } : runs);
  print('collect all parts', rows, all);
  comparePython(all);
  if (all.python !== undefined && rows <= MANY_ROWS) {
    const inDirectory = (names: readonly string[]) => names.map((name) => join(directory, name));
    await compareResults(inDirectory(results), inDirectory(recipes), directory);
    say('    the same results');
  }
  return [
    memoryOf('collect one part', one),
    timesCopy('collect all parts', 6, all),
    timesPython('collect all parts', 6, all),
  ];
}

async function measureEmbeddings(directory: string, vectors: number): Promise<Figure[]> {
  await writeEmbeddedRows(directory, vectors);
  await writeEmbeddingOutput(join(directory, 'embedding.out'), vectors);
  const embedded = await measureRuns(rounds, {
    quarry: () => measure(directory, 'result.parquet', 'collect-embeddings'),
    plain: () =>
      measureCopy(directory, { read: ['embedding.out', 'embedded.parquet'], written: ['result.parquet'] }),
  });
  print('collect embeddings, one part', vectors, embedded);
  return [
    memoryOf('collect embeddings', embedded),
    {
      what: `${vectors} embeddings of 1,024 floats: vectors a second`,
      asked: '>= 10000',
      measured: Math.round(vectors / embedded.quarry.seconds),
      isMet: (pace) => pace >= 10_000,
    },
  ];
}

/** Runs one measurement of what Quarry does, or of what it is compared with, in a process of its own. */
function measure(directory: string, outputs: string | string[], ...task: string[]): Promise<Measured> {
  return measureAnew(directory, outputs, () =>
    measureProcess(process.execPath, [SCRIPT, directory, ...task]),
  );
}

/** The recipe in Python. */
function measurePython(directory: string, outputs: string | string[], ...task: string[]): Promise<Measured> {
  return measureAnew(directory, outputs, () =>
    measureProcess(PYTHON, [join(import.meta.dirname, 'row_by_row.py'), ...task]),
  );
}

/** A plain copy: as many bytes read and written. */
async function measureCopy(
  directory: string,
  { read, written }: { read: string[]; written: string[] },
): Promise<Measured> {
  const bytes = await sizeOf(directory, written);
  const measured = await measure(directory, 'copy', 'copy', String(bytes), ...read);
  await rm(join(directory, 'copy'));
  return measured;
}

/** Where a file is written anew, some file systems write the old one to the disk first, and the process waits. */
async function measureAnew(
  directory: string,
  outputs: string | string[],
  run: () => Measured,
): Promise<Measured> {
  for (const output of [outputs].flat()) await rm(join(directory, output), { recursive: true, force: true });
  return run();
}

async function expectSameRecords(directory: string, others: string[]): Promise<void> {
  if (rows > MANY_ROWS) return;
  const quarry = partsOf(rows).map((_, index) => join(directory, `parts/${index}.jsonl`));
  await compareRecords(
    quarry,
    others.map((name) => join(directory, name)),
  );
  say('    the same records');
}

async function sizeOf(directory: string, names: string[]): Promise<number> {
  const sizes = await Promise.all(names.map((name) => stat(join(directory, name))));
  return sizes.reduce((sum, { size }) => sum + size, 0);
}

function timesCopy(what: string, most: number, { quarry, plain }: Compared): Figure {
  return {
    what: `${what}: × a plain copy`,
    asked: `<= ${most}`,
    measured: quarry.seconds / plain.workSeconds,
    isMet: (ratio) => ratio <= most,
  };
}

function timesPython(what: string, least: number, { quarry, python }: Compared): Figure {
  return {
    what: `${what}: × faster than Python`,
    asked: `>= ${least}`,
    measured: python && python.seconds / quarry.seconds,
    isMet: (ratio) => ratio >= least,
  };
}

function memoryOf(what: string, { quarry }: Compared): Figure {
  return {
    what: `${what}: peak MB`,
    asked: '<= 600',
    measured: Math.round(quarry.peakMb),
    isMet: (mb) => mb <= 600,
  };
}

function print(name: string, count: number, { quarry, plain }: Compared): void {
  const { seconds, cpuSeconds, peakMb } = quarry;
  say(
    `${name.padEnd(38)} ${seconds.toFixed(2)} s (CPU ${cpuSeconds.toFixed(2)} s)  ${Math.round(count / seconds)} rows/s  ${Math.round(peakMb)} MB  ${(seconds / plain.workSeconds).toFixed(1)} x a plain copy (${plain.workSeconds.toFixed(2)} s)`,
  );
}

function comparePython({ quarry, python }: Compared): void {
  if (python === undefined) say('    Python: not measured; run scripts/bench-python.sh first');
  else compare('Python', quarry, python);
}

function compare(name: string, quarry: Measured, other: Measured): void {
  say(
    `    ${name}: ${other.seconds.toFixed(2)} s (CPU ${other.cpuSeconds.toFixed(2)} s), ${Math.round(other.peakMb)} MB: ${(other.seconds / quarry.seconds).toFixed(1)} x as long, ${(other.cpuSeconds / quarry.cpuSeconds).toFixed(1)} x the CPU`,
  );
}

function printFigures(figures: readonly Figure[]): void {
  say(`\n${'figure'.padEnd(72)} measured    asked      met`);
  for (const { what, asked, measured, isMet } of figures) {
    const shown =
      measured === undefined
        ? 'not measured'
        : `${Number(measured.toFixed(1))}`.padEnd(11) + asked.padEnd(11) + (isMet(measured) ? 'yes' : 'no');
    say(`${what.padEnd(72)} ${shown}`);
  }
  say(
    'The whole run’s time and memory, and what a row costs: npm run bench:full -- --rows 220000,2200000,220000',
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
