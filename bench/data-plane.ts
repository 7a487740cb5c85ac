/**
 * Measures the data plane beside a plain copy of the same bytes, beside the same work row by row in TypeScript and, where
 * `.venv/bench` is there (scripts/bench-python.sh), in Python: `npm run bench -- [rows] [--small]`. Every measurement is
 * a process of its own, so that its peak memory is its own.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compareRecords, compareResults } from './compare-outputs.ts';
import type { TaskReport } from './data-plane-task.ts';
import {
  PART_ROWS,
  partsOf,
  writeEmbeddedRows,
  writeEmbeddingOutput,
  writeInput,
  writeTextOutput,
} from './made-data.ts';

interface Measured extends TaskReport {
  /** From the process's start to its end. */
  seconds: number;
}

/** One of the figures to reach. */
interface Figure {
  what: string;
  asked: string;
  measured: number | undefined;
  isMet: (measured: number) => boolean;
}

const PYTHON = '.venv/bench/bin/python';
const SMALL_ROWS = 22_000;
/** More rows than these take longer to compare than to measure. */
const MOST_COMPARED_ROWS = 220_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { small: { type: 'boolean', default: false }, dir: { type: 'string', default: tmpdir() } },
});
await main(Number(positionals[0] ?? (values.small ? SMALL_ROWS : 220_000)));

async function main(rows: number): Promise<void> {
  await mkdir(values.dir, { recursive: true });
  const directory = await mkdtemp(join(values.dir, 'quarry-bench-'));
  const load = loadavg().map((value) => value.toFixed(1));
  say(`${rows} rows; ${cpus()[0]?.model.trim()}, ${cpus().length} cores, load ${load.join(' ')}`);
  try {
    await mkdir(join(directory, 'parts'));
    await writeInput(directory, rows);
    const prepared = await measurePrepare(directory, rows);
    const collected = await measureCollect(directory, rows);
    const embedded = await measureEmbeddings(directory, values.small ? 2_000 : PART_ROWS);
    // Of a few rows, most of the time is the processes' start.
    if (!values.small) printFigures([...prepared, ...collected, ...embedded]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function measurePrepare(directory: string, rows: number): Promise<Figure[]> {
  const parts = partsOf(rows).flatMap((_, index) => [`parts/${index}.jsonl`, `parts/${index}.parquet`]);
  const figures: Figure[] = [];
  for (const name of ['input.csv', 'input.jsonl', 'input.parquet', 'input-10k.parquet']) {
    if (name === 'input-10k.parquet') {
      const compressed = measurePlanned(directory, 'prepare-for-network', name);
      const plain = measure(directory, 'copy', String(await sizeOf(directory, parts)), name);
      print(`prepare ${name}, rows snappy`, rows, compressed, plain);
    }
    const quarry = measurePlanned(directory, 'prepare', name);
    const plain = measure(directory, 'copy', String(await sizeOf(directory, parts)), name);
    print(`prepare ${name}`, rows, quarry, plain);
    figures.push(memoryOf(`prepare ${name}`, quarry));
    if (name === 'input.parquet') {
      const typescript = measure(directory, 'row-by-row-prepare', name);
      compare('TypeScript, no Parquet written', quarry, typescript);
      await expectSameRecords(directory, rows, [join(directory, 'row-by-row.jsonl')]);
    }
    if (name === 'input.csv' || name === 'input-10k.parquet') {
      const python = measurePython('prepare', directory, name, String(rows));
      compare('Python', quarry, python);
      if (python !== undefined) {
        const recipe = partsOf(rows).map((_, index) => join(directory, `recipe/${index}.jsonl`));
        await expectSameRecords(directory, rows, recipe);
      }
      figures.push(timesPython(`prepare ${name}`, 8, quarry, python));
    }
    if (name === 'input-10k.parquet') {
      figures.push(timesCopy('prepare from Parquet, row groups of 10,240', 3.5, quarry, plain));
    }
  }
  return figures;
}

async function measureCollect(directory: string, rows: number): Promise<Figure[]> {
  const parts = partsOf(rows);
  for (const index of parts.keys()) {
    const path = join(directory, `parts/${index}`);
    await writeTextOutput(`${path}.jsonl`, `${path}.out`);
  }
  const namesOf = (ending: string) => parts.map((_, index) => `parts/${index}.${ending}`);
  const one = measure(directory, 'collect', '0');
  const oneWritten = String(await sizeOf(directory, ['parts/0.result.parquet']));
  const oneCopied = measure(directory, 'copy', oneWritten, 'parts/0.out', 'parts/0.parquet');
  print('collect one part', parts[0]?.rows ?? 0, one, oneCopied);
  compare('TypeScript', one, measure(directory, 'row-by-row-collect'));
  const all = measure(directory, 'collect', 'all');
  const written = String(await sizeOf(directory, namesOf('result.parquet')));
  const plain = measure(directory, 'copy', written, ...namesOf('out'), ...namesOf('parquet'));
  print('collect all parts', rows, all, plain);
  const python = measurePython('collect', directory);
  compare('Python', all, python);
  if (python !== undefined && rows <= MOST_COMPARED_ROWS) {
    await compareResults(
      namesOf('result.parquet').map((name) => join(directory, name)),
      parts.map((_, index) => join(directory, `recipe/${index}.result.parquet`)),
      directory,
    );
    say('    the same results');
  }
  return [
    memoryOf('collect one part', one),
    timesCopy('collect all parts', 6, all, plain),
    timesPython('collect all parts', 6, all, python),
  ];
}

async function measureEmbeddings(directory: string, rows: number): Promise<Figure[]> {
  await writeEmbeddedRows(directory, rows);
  await writeEmbeddingOutput(join(directory, 'embedding.out'), rows);
  const measured = measure(directory, 'collect-embeddings');
  const written = String(await sizeOf(directory, ['result.parquet']));
  const plain = measure(directory, 'copy', written, 'embedding.out', 'embedded.parquet');
  print('collect embeddings, one part', rows, measured, plain);
  return [
    memoryOf('collect embeddings', measured),
    {
      what: `${rows} embeddings of 1,024 floats: vectors a second`,
      asked: '>= 10000',
      measured: Math.round(rows / measured.seconds),
      isMet: (vectors) => vectors >= 10_000,
    },
  ];
}

/** Runs one measurement in a process of its own. */
function measure(directory: string, ...task: string[]): Measured {
  const script = join(import.meta.dirname, 'data-plane-task.ts');
  return timed(process.execPath, [script, directory, ...task]);
}

/** Two steps, each in a process of its own: what Plan does with a dataset, and Prepare. */
function measurePlanned(directory: string, task: string, name: string): Measured {
  const described = measure(directory, 'describe', name);
  const prepared = measure(directory, task, name);
  return {
    seconds: described.seconds + prepared.seconds,
    workSeconds: described.workSeconds + prepared.workSeconds,
    cpuSeconds: described.cpuSeconds + prepared.cpuSeconds,
    peakMb: Math.max(described.peakMb, prepared.peakMb),
  };
}

/** The recipe in Python; undefined where there is none with pandas. */
function measurePython(...task: string[]): Measured | undefined {
  if (spawnSync(PYTHON, ['--version']).error !== undefined) return undefined;
  return timed(PYTHON, [join(import.meta.dirname, 'row_by_row.py'), ...task]);
}

function timed(command: string, given: string[]): Measured {
  const started = performance.now();
  const run = spawnSync(command, given, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const seconds = (performance.now() - started) / 1000;
  if (run.status !== 0) throw new Error(`${given.join(' ')} failed.`);
  return { seconds, ...JSON.parse(run.stdout) };
}

async function expectSameRecords(directory: string, rows: number, others: string[]): Promise<void> {
  if (rows > MOST_COMPARED_ROWS) return;
  const quarry = partsOf(rows).map((_, index) => join(directory, `parts/${index}.jsonl`));
  await compareRecords(quarry, others);
  say('    the same records');
}

async function sizeOf(directory: string, names: string[]): Promise<number> {
  const sizes = await Promise.all(names.map((name) => stat(join(directory, name))));
  return sizes.reduce((sum, { size }) => sum + size, 0);
}

function timesCopy(what: string, most: number, quarry: Measured, plain: Measured): Figure {
  return {
    what: `${what}: × a plain copy`,
    asked: `<= ${most}`,
    measured: quarry.seconds / plain.workSeconds,
    isMet: (ratio) => ratio <= most,
  };
}

function timesPython(what: string, least: number, quarry: Measured, python: Measured | undefined): Figure {
  return {
    what: `${what}: × faster than Python`,
    asked: `>= ${least}`,
    measured: python && python.seconds / quarry.seconds,
    isMet: (ratio) => ratio >= least,
  };
}

function memoryOf(what: string, { peakMb }: Measured): Figure {
  return {
    what: `${what}: peak MB`,
    asked: '<= 600',
    measured: Math.round(peakMb),
    isMet: (mb) => mb <= 600,
  };
}

function print(name: string, count: number, measured: Measured, plain: Measured): void {
  const { seconds, cpuSeconds, peakMb } = measured;
  say(
    `${name.padEnd(38)} ${seconds.toFixed(2)} s (CPU ${cpuSeconds.toFixed(2)} s)  ${Math.round(count / seconds)} rows/s  ${Math.round(peakMb)} MB  ${(seconds / plain.workSeconds).toFixed(1)} x a plain copy (${plain.workSeconds.toFixed(2)} s)`,
  );
}

function compare(name: string, quarry: Measured, other: Measured | undefined): void {
  if (other === undefined) {
    say(`    ${name}: not measured; run scripts/bench-python.sh first`);
    return;
  }
  say(
    `    ${name}: ${other.seconds.toFixed(2)} s (CPU ${other.cpuSeconds.toFixed(2)} s), ${Math.round(other.peakMb)} MB: ${(other.seconds / quarry.seconds).toFixed(1)} x as long, ${(other.cpuSeconds / quarry.cpuSeconds).toFixed(1)} x the CPU`,
  );
}

function printFigures(figures: readonly Figure[]): void {
  say(`\n${'figure'.padEnd(62)} measured    asked      met`);
  for (const { what, asked, measured, isMet } of figures) {
    const shown =
      measured === undefined
        ? 'not measured'
        : `${Number(measured.toFixed(1))}`.padEnd(11) + asked.padEnd(11) + (isMet(measured) ? 'yes' : 'no');
    say(`${what.padEnd(62)} ${shown}`);
  }
  say(
    'The whole run’s time and memory, and what a row costs: npm run bench:full -- --rows 220000,2200000,220000',
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
