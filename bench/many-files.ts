/**
 * Measures datasets of many small files: `npm run bench:files -- [files] [--rows N] [--rounds N] [--run]`. `quarry plan`, and with
 * `--run` also `quarry run`, of each format beside DuckDB, which reads every value of the same files by one statement; each
 * a process of its own, from its start to its end. `--objects N` plans over N objects of an S3 double instead, and tells
 * what that asked of it.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { measureSmallFiles, planOverObjects } from './small-files.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
    run: { type: 'boolean', default: false },
    objects: { type: 'string' },
  },
});
const say = (line: string) => void process.stdout.write(`${line}\n`);
const load = loadavg().map((value) => value.toFixed(1));
say(`${cpus()[0]?.model.trim()}, ${cpus().length} cores, load ${load.join(' ')}`);
if (values.objects === undefined) {
  await measureSmallFiles({
    files: Number(positionals[0] ?? 1_500),
    rowsPerFile: Number(values.rows),
    rounds: Number(values.rounds),
    withRun: values.run,
    say,
  });
} else {
  for (const format of ['parquet', 'jsonl'] as const) {
    const { seconds, cpuSeconds, peakMb, rows, ...told } = await planOverObjects(
      Number(values.objects),
      format,
    );
    const counts = Object.entries(told).map(([what, count]) => `${what} ${Math.round(count)}`);
    say(
      `${format.padEnd(8)} ${values.objects} objects, ${rows} rows: ${seconds.toFixed(1)} s (CPU ${cpuSeconds.toFixed(1)} s), ${Math.round(peakMb)} MB; ${counts.join(', ')}`,
    );
  }
}
