/** What a proof saw of AWS. Nothing in it names an account, a bucket or a row. */
export interface Observations {
  /** Of each job, the statuses in the order in which they were seen. */
  statuses: string[][];
  /** Of each job that was stopped, how Bedrock has it. */
  stoppedAs: string[];
  /** Names of the files that stopped jobs left, beside the job's own folder. */
  outputFiles: string[];
  /** Keys of the manifests that were there. */
  manifestKeys: string[];
  /** Keys of the output lines that were there. */
  lineKeys: string[];
  /** How the run stood after its cancel, and after it was resumed; null where it did not come to that. */
  cancelled: RunFigures | null;
  resumed: RunFigures | null;
  /** Files of the finished run that are not as they were written. */
  brokenFiles: number;
  /** What CloudWatch says of the alarm's own action; null where it was not tried. */
  alarm: string | null;
  /** Milliseconds of each step. */
  tookMs: Record<string, number>;
  /** What failed, by step. */
  failed: Record<string, string>;
}

/** A run in numbers. */
export interface RunFigures {
  status: string;
  rows: { total: number; succeeded: number; failed: number; not_sent: number };
  jobs: number;
  tokens: { input: number; output: number };
  cost_usd: number | null;
}

/** One assumption of the emulator, and what was seen of it. */
export interface Finding {
  assumption: string;
  /** What the emulator takes for granted. */
  assumed: string;
  seen: string;
  verdict: 'as assumed' | 'differs' | 'not seen';
}

/** Nothing was seen yet. */
export function nothingSeen(): Observations {
  return {
    statuses: [],
    stoppedAs: [],
    outputFiles: [],
    manifestKeys: [],
    lineKeys: [],
    cancelled: null,
    resumed: null,
    brokenFiles: 0,
    alarm: null,
    tookMs: {},
    failed: {},
  };
}

/** The order of a job's life, as the emulator has it. */
const LIFE = ['Submitted', 'Validating', 'Scheduled', 'InProgress', 'Stopping'];
const ENDS = ['Completed', 'PartiallyCompleted', 'Failed', 'Stopped', 'Expired'];
const MANIFEST = [
  ...['totalRecordCount', 'processedRecordCount', 'successRecordCount', 'errorRecordCount'],
  ...['inputTokenCount', 'outputTokenCount'],
];

/** Holds what was seen against what the emulator assumes. */
export function findingsOf(seen: Observations, rows: number): Finding[] {
  const { cancelled, resumed } = seen;
  return [
    listed('statuses of a job', [...LIFE, ...ENDS], unique(seen.statuses.flat())),
    {
      ...listed('order of the statuses', [...LIFE, 'one that ends it'], seen.statuses.map(String)),
      verdict: verdictOf(seen.statuses.length, seen.statuses.every(isInOrder)),
    },
    listed(
      'a job that is stopped ends as',
      ['Stopped', 'PartiallyCompleted', 'Completed'],
      unique(seen.stoppedAs),
    ),
    listed('files of a job’s output', ['records.jsonl.out', 'manifest.json.out'], unique(seen.outputFiles)),
    listed('keys of a manifest', MANIFEST, unique(seen.manifestKeys)),
    listed(
      'keys of an output line',
      ['recordId', 'modelInput', 'modelOutput', 'error'],
      unique(seen.lineKeys),
    ),
    told('rows of the cancelled run', `${rows}, each accounted for`, cancelled, (run) => accounts(run, rows)),
    told(
      'rows of the resumed run',
      `${rows}, each with an answer`,
      resumed,
      (run) => run.rows.succeeded === rows,
    ),
    told(
      'tokens of the resumed run',
      'more than none',
      resumed,
      ({ tokens }) => tokens.input > 0 && tokens.output > 0,
    ),
    {
      assumption: 'files of the finished run',
      assumed: 'as they were written',
      seen: resumed === null ? 'nothing' : `${seen.brokenFiles} broken`,
      verdict: verdictOf(resumed === null ? 0 : 1, seen.brokenFiles === 0),
    },
    {
      assumption: 'an alarm reaches the topic',
      assumed: 'Successfully executed action',
      seen: seen.alarm ?? 'nothing',
      verdict: verdictOf(seen.alarm === null ? 0 : 1, /^Successfully executed action/.test(seen.alarm ?? '')),
    },
  ];
}

function isInOrder(statuses: readonly string[]): boolean {
  const places = statuses.map((status) => (ENDS.includes(status) ? LIFE.length : LIFE.indexOf(status)));
  return places.every((place, index) => place >= 0 && place >= (places[index - 1] ?? 0));
}

/** Everything that was seen is among what is assumed. */
function listed(assumption: string, assumed: readonly string[], seen: readonly string[]): Finding {
  return {
    assumption,
    assumed: assumed.join(', '),
    seen: seen.length === 0 ? 'nothing' : seen.join(', '),
    verdict: verdictOf(
      seen.length,
      seen.every((one) => assumed.includes(one)),
    ),
  };
}

function told(
  assumption: string,
  assumed: string,
  run: RunFigures | null,
  holds: (run: RunFigures) => boolean,
): Finding {
  return {
    assumption,
    assumed,
    seen: run === null ? 'nothing' : JSON.stringify({ ...run.rows, tokens: run.tokens, jobs: run.jobs }),
    verdict: verdictOf(run === null ? 0 : 1, run !== null && holds(run)),
  };
}

function accounts({ rows: { total, succeeded, failed, not_sent } }: RunFigures, rows: number): boolean {
  return total === rows && succeeded + failed + not_sent === rows;
}

function verdictOf(seen: number, holds: boolean): Finding['verdict'] {
  if (seen === 0) return 'not seen';
  return holds ? 'as assumed' : 'differs';
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].toSorted();
}
