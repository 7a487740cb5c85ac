import { type Finding, findingsOf, type Observations } from './observations.ts';

/** What is handed in: what differed, and what was seen. */
export interface ProofReport {
  format_version: 1;
  quarry_version: string;
  region: string;
  model_id: string;
  rows: number;
  findings: Finding[];
  seen: Observations;
}

/** What a report may not tell unless it is asked to. */
export interface Names {
  account: string;
  bucket: string | undefined;
}

/** A report of what was seen; account ids, the bucket’s name and the ends of ARNs are left out of it. */
export function reportOf(
  seen: Observations,
  {
    names,
    rows,
    ...about
  }: Omit<ProofReport, 'format_version' | 'findings' | 'seen'> & { names: Names | null },
): ProofReport {
  const report: ProofReport = { format_version: 1, ...about, rows, findings: findingsOf(seen, rows), seen };
  return names === null ? report : JSON.parse(withoutNames(JSON.stringify(report), names));
}

function withoutNames(text: string, { account, bucket }: Names): string {
  return (bucket === undefined ? text : text.replaceAll(bucket, 'BUCKET'))
    .replaceAll(account, 'ACCOUNT')
    .replaceAll(/\b\d{12}\b/g, 'ACCOUNT')
    .replaceAll(/(arn:aws[\w-]*:[\w-]*:[\w-]*:ACCOUNT:)[^\s"\\,]+/g, '$1…');
}

/** The same for people. */
export function reportText({ quarry_version, region, model_id, rows, findings, seen }: ProofReport): string {
  const width = Math.max(...findings.map(({ assumption }) => assumption.length));
  const differing = findings.filter(({ verdict }) => verdict === 'differs');
  return [
    `Quarry ${quarry_version} in ${region}: ${rows} rows of ${model_id}`,
    '',
    ...findings.map(
      ({ assumption, verdict, seen: was }) => `${assumption.padEnd(width)}  ${verdict.padEnd(10)}  ${was}`,
    ),
    '',
    ...Object.entries(seen.tookMs).map(([step, ms]) => `${step}: ${(ms / 1000).toFixed(1)} s`),
    ...Object.entries(seen.failed).map(([step, why]) => `FAILED ${step}: ${why}`),
    '',
    differing.length === 0
      ? 'Nothing differed from what the emulator assumes.'
      : `Differed: ${differing.map(({ assumption, assumed }) => `${assumption} (assumed: ${assumed})`).join('; ')}.`,
    '',
  ].join('\n');
}
