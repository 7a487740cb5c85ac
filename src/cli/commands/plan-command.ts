import { rm } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { systemClock } from '../../core/clock.ts';
import { PILOT_MIN_PARTS, packFull } from '../../core/packing.ts';
import { DEFAULT_RECORDS_PER_HOUR, type JobPace, scheduleJobs } from '../../core/schedule.ts';
import { draftPlan, type PlanDraft } from '../../steps/plan/draft-plan.ts';
import { openRunFiles } from '../../targets/run-files.ts';
import type { CliContext } from '../cli-context.ts';
import { givenRunInput, inOwnWords } from '../options/given-run-input.ts';
import { addRunFlags } from '../options/run-flags.ts';
import { addTargetOptions, chooseTarget, type TargetOptions } from '../options/target-options.ts';
import { type PlanReport, planLines, type ScheduledEnd } from '../views/plan-view.ts';
import { createProgressReporter } from '../views/progress-reporter.ts';
import { stageWithProgress } from './stage-with-progress.ts';

interface PlanOptions extends TargetOptions {
  input?: string;
  jobsInFlight?: number;
  recordsPerHour: number;
  json?: boolean;
  [flag: string]: unknown;
}

/** `quarry plan`: what a run would be, without making it. */
export function addPlanCommand(program: Command, context: CliContext): void {
  const command = program
    .command('plan')
    .argument('[dataset]', 'a local file or folder, s3://bucket/key, or hf:owner/name')
    .description('Show what a run would send, cost and take. Nothing is sent, and no run is made.')
    .option('--input <file>', 'run input, a JSON document; flags override its keys')
    .addOption(
      new Option('--jobs-in-flight <n>', 'jobs that run at once (default: the quota)').argParser(wholeNumber),
    )
    .addOption(
      new Option('--records-per-hour <n>', 'records that one job does in an hour')
        .argParser(wholeNumber)
        .default(DEFAULT_RECORDS_PER_HOUR),
    )
    .option('--json', 'print the plan as JSON, and nothing else');
  addRunFlags(addTargetOptions(command)).action(async (dataset: string | undefined, options: PlanOptions) => {
    using files = openRunFiles(await chooseTarget(options), options.dir);
    await files.requireReachable();
    const input = await givenRunInput(dataset, {
      ...options,
      stage: (path) => stageWithProgress(path, { files, context }),
    });
    const reporter = createProgressReporter(context.err);
    const draft = await inOwnWords(dataset, input, () =>
      draftPlan(input, { ...files.planDeps, onProgress: reporter.report }).finally(reporter.stop),
    );
    if (draft.duplicatesPath !== undefined) await rm(draft.duplicatesPath, { force: true });
    const isUploaded =
      files.target.kind !== 'local' && dataset !== undefined && !/^(?:s3:\/\/|hf:)/.test(dataset);
    const uploaded_to = isUploaded ? String(input.s3_uri) : null;
    const planned = reportOf(
      draft,
      {
        jobsInFlight: options.jobsInFlight ?? draft.plan.max_concurrent_jobs,
        recordsPerHour: options.recordsPerHour,
      },
      systemClock.now(),
    );
    const report: PlanReport = { uploaded_to, billed: files.target.kind !== 'local', ...planned };
    context.out.write(
      options.json ? `${JSON.stringify(report, null, 2)}\n` : `${planLines(report).join('\n')}\n`,
    );
  });
}

function reportOf(
  { plan, recordsOfParts, isKnown }: PlanDraft,
  pace: JobPace,
  nowMs: number,
): Omit<PlanReport, 'uploaded_to' | 'billed'> {
  const isJob = (rows: number) => rows >= plan.min_records_per_job;
  const endOf = (sizes: readonly number[], headStartHours = 0): ScheduledEnd => {
    const schedule = scheduleJobs(sizes, pace);
    const hours = headStartHours + schedule.hours;
    return { ...schedule, hours, ends_at: new Date(nowMs + hours * 3_600_000).toISOString() };
  };
  return {
    run_id: plan.run_id,
    run_exists: isKnown,
    model_id: plan.model.model_id,
    rows: plan.selected_rows,
    dataset_rows: plan.dataset.rows,
    duplicates: plan.duplicates,
    on_demand_rows: plan.on_demand_rows,
    parts: plan.parts,
    slices: plan.slices,
    estimate: plan.estimate,
    notes: plan.notes,
    schedule: {
      jobs_in_flight: pace.jobsInFlight,
      records_per_hour: pace.recordsPerHour,
      balanced: endAfter(plan, recordsOfParts.filter(isJob), endOf),
      full: endOf(
        packFull(plan.selected_rows - plan.duplicates, plan.max_rows_per_part)
          .map(({ rows }) => rows)
          .filter(isJob),
      ),
    },
  };
}

/** The end of the run's own packing: with the first job alone, as Dispatch has it, unless there is no pilot. */
function endAfter(
  { input }: PlanDraft['plan'],
  jobs: readonly number[],
  endOf: (sizes: readonly number[], headStartHours?: number) => ScheduledEnd,
): ScheduledEnd {
  const [pilot = 0, ...others] = jobs;
  if (input.pilot === false || jobs.length < PILOT_MIN_PARTS) return endOf(jobs);
  const alone = endOf([pilot]);
  const { waves, ...rest } = endOf(others, alone.hours);
  const [smallest, largest] = [Math.min(pilot, rest.smallest), Math.max(pilot, rest.largest)];
  return { ...rest, jobs: jobs.length, smallest, largest, waves: waves + 1 };
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is not a whole number above 0.');
  return Number(text);
}
