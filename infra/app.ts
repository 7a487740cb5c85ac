import { App, Tags } from 'aws-cdk-lib';
import { QuarryStack } from './quarry-stack.ts';
import { parseSettings, type Settings } from './settings.ts';

/** Name of the stack unless `-c stackName=…` gives another, for two deployments in one account and region. */
const DEFAULT_STACK_NAME = 'Quarry';

const app = new App();
const stackName = String(app.node.tryGetContext('stackName') ?? DEFAULT_STACK_NAME);
const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
const stack = new QuarryStack(app, stackName, {
  settings: settingsOrExit(app.node.getAllContext()),
  // Undefined without credentials: then the template fits any account and region.
  ...(account === undefined || region === undefined ? {} : { env: { account, region } }),
});
Tags.of(stack).add('application', 'quarry');

/** A context that is wrong needs no stack trace. */
function settingsOrExit(context: Record<string, unknown>): Settings {
  try {
    return parseSettings(context);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}
