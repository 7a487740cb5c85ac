import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

/** One example: what `quarry run` is called with, and how many rows it must give back. */
interface Example {
  name: string;
  args: string[];
  rows: number;
  jobs: number;
  /** Typed columns that it must give. */
  columns?: string[];
}

const HAIKU = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';

const examples: Example[] = [
  {
    name: 'jokes: 1,050 topics, one job',
    args: ['examples/jokes/topics.csv', '--model-id', HAIKU, '--prompt-id', 'joke_about_topic'],
    rows: 1050,
    jobs: 1,
  },
  {
    name: 'sentiment: a real table of 10,000 bird strikes, a pilot and three jobs',
    args: [
      'node_modules/vega-datasets/data/birdstrikes.csv',
      '--input',
      'examples/sentiment/run.json',
      '--max-records-per-job',
      '4000',
    ],
    rows: 10_000,
    jobs: 4,
  },
  {
    name: 'extraction: the same table, to five typed columns',
    args: [
      'node_modules/vega-datasets/data/birdstrikes.csv',
      '--input',
      'examples/extraction/run.json',
      '--max-records',
      '2000',
    ],
    rows: 2000,
    jobs: 1,
    columns: ['severity', 'risk', 'days_of_repair', 'factors', 'advice'],
  },
  {
    name: 'embeddings: 600 sentences, ids of their own',
    args: [
      'examples/embeddings/sentences.csv',
      '--model-id',
      'amazon.titan-embed-text-v2:0',
      '--record-id-column',
      'sentence_id',
      '--dimensions',
      '256',
    ],
    rows: 600,
    jobs: 1,
  },
  {
    name: 'embeddings with Nova: the same sentences, for clusters',
    args: [
      'examples/embeddings/sentences.csv',
      '--model-id',
      'amazon.nova-2-multimodal-embeddings-v1:0',
      '--record-id-column',
      'sentence_id',
      '--dimensions',
      '384',
      '--embedding-purpose',
      'clustering',
    ],
    rows: 600,
    jobs: 1,
  },
  {
    name: 'captions: the pictures of a folder, to three typed columns',
    args: ['examples/captions/pictures.csv', '--input', 'examples/captions/run.json'],
    rows: 12,
    jobs: 0,
    columns: ['caption', 'colours', 'pattern'],
  },
  {
    name: 'embeddings of the same pictures, with Titan',
    args: [
      'examples/captions/pictures.csv',
      '--model-id',
      'amazon.titan-embed-image-v1',
      '--image-columns',
      'picture',
      '--dimensions',
      '256',
    ],
    rows: 12,
    jobs: 0,
  },
  {
    name: 'five questions: under the minimum of a job, so on demand',
    args: [
      'examples/on-demand/questions.jsonl',
      '--model-id',
      'us.amazon.nova-lite-v1:0',
      '--prompt-id',
      'question_answering',
    ],
    rows: 5,
    jobs: 0,
  },
];

const Summary = z.looseObject({
  rows: z.object({ total: z.int(), succeeded: z.int(), failed: z.int(), not_sent: z.int() }),
  jobs: z.int(),
  simulated: z.literal(true),
  columns: z.array(z.object({ name: z.string() })).optional(),
});

let failed = 0;
for (const { name, args, rows, jobs, columns = [] } of examples) {
  const directory = mkdtempSync(join(tmpdir(), 'quarry-example-'));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['src/cli/main.ts', 'run', ...args, '--dir', directory, '--json'],
    { encoding: 'utf8' },
  );
  rmSync(directory, { recursive: true, force: true });
  const summary = status === 0 ? Summary.parse(JSON.parse(stdout)) : undefined;
  const right =
    summary !== undefined &&
    summary.rows.total === rows &&
    summary.rows.succeeded === rows &&
    summary.jobs === jobs &&
    columns.every((column) => summary.columns?.some((typed) => typed.name === column) === true);
  if (!right) failed += 1;
  console.log(`${right ? 'ok    ' : 'FAILED'} ${name}`);
  if (!right) console.log(`exit ${status}\n${stdout}\n${stderr}`);
}
console.log(`${examples.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
