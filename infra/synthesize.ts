import { readFileSync } from 'node:fs';
import { App, Tags } from 'aws-cdk-lib';
import cdkJson from '../cdk.json' with { type: 'json' };
import { QuarryStack } from './quarry-stack.ts';
import { parseSettings } from './settings.ts';

/** What is synthesized, for where. */
export interface SynthesisOptions {
  stackName: string;
  /** Context keys, as `cdk.json` and `-c key=value` give them. */
  context: Readonly<Record<string, unknown>>;
  account: string;
  region: string;
  /** Folder that the template and the functions' code are laid in. */
  outputDirectory: string;
}

/** Lays the stack's template and code into a folder, and gives the template. Throws an Error that lists every context key that is wrong. */
export function synthesizeStack(options: SynthesisOptions): Record<string, unknown> {
  const { stackName, context, account, region, outputDirectory } = options;
  const settings = parseSettings(context);
  const app = new App({
    outdir: outputDirectory,
    // The CDK's own switches, which decide the template too, are those of a checkout.
    context: { ...cdkJson.context, ...context },
    analyticsReporting: false,
  });
  const stack = new QuarryStack(app, stackName, { settings, env: { account, region } });
  Tags.of(stack).add('application', 'quarry');
  const { templateFullPath } = app.synth().getStackByName(stack.stackName);
  return JSON.parse(readFileSync(templateFullPath, 'utf8'));
}
