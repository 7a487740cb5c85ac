// Takes the workflow's own `run:` steps from its YAML, and runs them one after another, as a runner does.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

const { jobs } = parse(readFileSync('label.yml', 'utf8')) as {
  jobs: { label: { steps: { run?: string }[] } };
};
const scripts = jobs.label.steps.flatMap(({ run }) => run ?? []);
assert.equal(scripts.length, 4);
for (const script of scripts) {
  // The package is installed already, from its tarball.
  if (script === 'npm ci') continue;
  const { status, stderr } = spawnSync('bash', ['-eo', 'pipefail', '-c', script], {
    env: { ...process.env, GITHUB_STEP_SUMMARY: 'step-summary.md' },
    encoding: 'utf8',
  });
  assert.equal(status, 0, `${script}\n${stderr}`);
}
assert.match(readFileSync('step-summary.md', 'utf8'), /^Plan of run /m);
assert.deepEqual(readdirSync('results').sort(), ['_summary.json', 'p00001.parquet']);
