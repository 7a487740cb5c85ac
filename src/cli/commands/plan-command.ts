import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_RECORDS_PER_HOUR } from '../../core/plan/schedule.ts';
import type { CliContext } from '../cli-context.ts';
import { DATASET_ARGUMENT, givenRequest } from '../options/given-request.ts';
import { addRunFlags } from '../options/run-flags.ts';
import { addTargetOptions, quarryOf, type TargetOptions } from '../options/target-options.ts';
import { planLines } from '../views/plan-view.ts';
import { withProgress } from './follow-run.ts';

interface PlanOptions extends TargetOptions {
  input?: string;
  jobsInFlight?: number;
  recordsPerHour: number;
  explain?: string;
  json?: boolean;
  showRecords?: boolean;
  [flag: string]: unknown;
}

/** `quarry plan`: what a run would be, without making it. */
export function addPlanCommand(program: Command, context: CliContext): void {
  const command = program
    .command('plan')
    .argument('[dataset...]', DATASET_ARGUMENT)
    .description(
      'Show what a run would send, cost and take. Nothing is sent, and no run is made, but with --pilot N.',
    )
    .option('--input <file>', 'run input, a JSON or YAML document; flags override its keys')
    .addOption(
      new Option('--jobs-in-flight <n>', 'jobs that run at once (default: the quota)').argParser(wholeNumber),
    )
    .addOption(
      new Option('--records-per-hour <n>', 'records that one job does in an hour')
        .argParser(wholeNumber)
        .default(DEFAULT_RECORDS_PER_HOUR),
    )
    .option('--explain <row>', 'with --reuse: say why the row with this record id is reused, or why not')
    .option('--show-records', 'show the first prompts whole, and a record as it would be sent')
    .option('--json', 'print the plan as JSON, and nothing else');
  addRunFlags(addTargetOptions(command)).action((datasets: string[], options: PlanOptions) =>
    plan(datasets, options, context),
  );
}

async function plan(datasets: string[], options: PlanOptions, context: CliContext): Promise<void> {
  const { dir, json, jobsInFlight, recordsPerHour, explain, showRecords = false } = options;
  const command = { quarry: quarryOf(options), context, dir };
  const request = await givenRequest(datasets, options, context);
  const { pilot_rows: pilotRows, ...whole } = request;
  const report = await withProgress(command, (progress) => {
    const planned = { ...progress, jobsInFlight, recordsPerHour, explain };
    return pilotRows === undefined
      ? command.quarry.plan(request, planned)
      : command.quarry.pilot(whole, pilotRows, planned);
  });
  const lines = planLines(report, { showRecords, directory: dir });
  context.out.write(json ? `${JSON.stringify(report, null, 2)}\n` : `${lines.join('\n')}\n`);
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is not a whole number above 0.');
  return Number(text);
}
