import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('the construct stands in an app of one’s own, with what is beside it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'quarry-cdk-app-'));
  try {
    execFileSync(process.execPath, ['examples/cdk-app/app.ts'], {
      env: {
        ...process.env,
        CDK_OUTDIR: directory,
        CDK_CONTEXT_JSON: JSON.stringify({ 'aws:cdk:bundling-stacks': [] }),
      },
    });
    const { Resources } = JSON.parse(readFileSync(join(directory, 'Reviews.template.json'), 'utf8'));
    const types = Object.values<{ Type: string }>(Resources).map(({ Type }) => Type);
    expect(types.filter((type) => type === 'AWS::StepFunctions::StateMachine')).toHaveLength(1);
    expect(types.filter((type) => type === 'AWS::Events::Rule')).toHaveLength(1);
    expect(JSON.stringify(Resources)).toContain('datasets/reviews/');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
