import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  MathExpression,
  Metric,
  SingleValueWidget,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { STEP_NAMES } from '../src/workflow/definition.ts';
import type { BedrockBatchWorkflow } from './bedrock-batch-workflow.ts';

/** What is watched, and who is told. */
export interface WorkflowMonitoringProps {
  readonly workflow: BedrockBatchWorkflow;
  readonly topic: ITopic;
  /** Exact ids of the models whose jobs are watched, five at most. */
  readonly watchedModels: readonly string[];
}

/** Bedrock's own metrics of batch inference, one series for each model of the account. */
const BATCH_NAMESPACE = 'AWS/Bedrock/Batch';
const PENDING = 'NumberOfRecordsPendingProcessing';
const INPUT_RATE = 'NumberOfInputTokensProcessedPerMinute';
const OUTPUT_RATE = 'NumberOfOutputTokensProcessedPerMinute';

const STUCK_PERIOD_MINUTES = 15;
/** A queue is not a fault: Bedrock may take hours before a job starts. */
const STUCK_PERIODS = 16;
const RUN_PERIOD_MINUTES = 5;

/** A dashboard, and alarms for what somebody should look at. */
export class WorkflowMonitoring extends Construct {
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, { workflow, topic, watchedModels }: WorkflowMonitoringProps) {
    super(scope, id);
    const rows = rowMetrics(this, workflow);
    const unfinished = unfinishedRuns(workflow.stateMachine);
    this.alarms = [
      createAlarm(this, 'RunsFailed', {
        alarmDescription: 'A run failed. Its execution says why; `quarry status RUN` too.',
        metric: unfinished,
      }),
      createAlarm(this, 'RowsWithoutAnswer', {
        alarmDescription: 'A run ended with rows without an answer. Its summary.json counts the reasons.',
        metric: rows.withoutAnswer,
      }),
      ...(watchedModels.length === 0
        ? []
        : [
            createAlarm(this, 'JobsStuck', {
              alarmDescription:
                'Records have been pending for four hours while Bedrock processed no token of their model.',
              metric: stuck(watchedModels),
              evaluationPeriods: STUCK_PERIODS,
            }),
          ]),
    ];
    for (const alarm of this.alarms) alarm.addAlarmAction(new SnsAction(topic));
    new Dashboard(this, 'Dashboard').addWidgets(
      ...runWidgets(workflow, [rows.total, rows.succeeded, rows.withoutAnswer]),
      ...bedrockWidgets(),
      ...functionWidgets(workflow),
    );
  }
}

const PERIOD = Duration.minutes(RUN_PERIOD_MINUTES);

/** Rows of the runs that ended, by what Summarize logs. */
function rowMetrics(scope: Construct, { stateMachine, steps }: BedrockBatchWorkflow) {
  const metricOf = (count: 'total' | 'succeeded') => {
    const metricNamespace = `Quarry/${stateMachine.stack.stackName}`;
    const metricName = `Rows_${count}`;
    new MetricFilter(scope, `Rows-${count}`, {
      logGroup: steps.summarize.logGroup,
      filterPattern: FilterPattern.exists(`$.rows.${count}`),
      metricNamespace,
      metricName,
      metricValue: `$.rows.${count}`,
    });
    return new Metric({
      namespace: metricNamespace,
      metricName,
      statistic: 'Sum',
      period: PERIOD,
      label: count,
    });
  };
  const total = metricOf('total');
  const succeeded = metricOf('succeeded');
  const withoutAnswer = new MathExpression({
    expression: 'total - succeeded',
    usingMetrics: { total, succeeded },
    period: PERIOD,
    label: 'rows without an answer',
  });
  return { total, succeeded, withoutAnswer };
}

function unfinishedRuns(stateMachine: StateMachine): MathExpression {
  return new MathExpression({
    expression: 'failed + timedOut',
    usingMetrics: {
      failed: stateMachine.metricFailed({ period: PERIOD }),
      timedOut: stateMachine.metricTimedOut({ period: PERIOD }),
    },
    period: PERIOD,
    label: 'failed or timed out',
  });
}

/** An alarm of a metric that is to be zero. */
function createAlarm(
  scope: Construct,
  id: string,
  props: Pick<AlarmProps, 'alarmDescription' | 'metric'> & Partial<AlarmProps>,
): Alarm {
  return new Alarm(scope, id, {
    evaluationPeriods: 1,
    treatMissingData: TreatMissingData.NOT_BREACHING,
    threshold: 0,
    comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
    ...props,
  });
}

function runWidgets({ stateMachine }: BedrockBatchWorkflow, rows: IMetric[]): IWidget[] {
  return [
    new SingleValueWidget({
      title: 'Runs',
      metrics: [
        stateMachine.metricStarted(),
        stateMachine.metricSucceeded(),
        stateMachine.metricFailed(),
        stateMachine.metricAborted(),
      ],
      setPeriodToTimeRange: true,
      width: 12,
    }),
    new SingleValueWidget({ title: 'Rows', metrics: rows, setPeriodToTimeRange: true, width: 12 }),
  ];
}

function bedrockWidgets(): IWidget[] {
  return [
    new GraphWidget({
      title: 'Bedrock: records pending, by model',
      left: [byModel(PENDING, 'Maximum')],
      width: 12,
    }),
    new GraphWidget({
      title: 'Bedrock: tokens per minute, by model',
      left: [byModel(INPUT_RATE, 'Average')],
      right: [byModel(OUTPUT_RATE, 'Average')],
      width: 12,
    }),
  ];
}

function functionWidgets({ steps }: BedrockBatchWorkflow): IWidget[] {
  return [
    new GraphWidget({
      title: 'Functions: longest time',
      left: STEP_NAMES.map((step) =>
        steps[step].lambda.metricDuration({ statistic: 'Maximum', label: step }),
      ),
      width: 12,
    }),
    new GraphWidget({
      title: 'Functions: errors and throttles',
      left: STEP_NAMES.map((step) => steps[step].lambda.metricErrors({ label: step })),
      right: STEP_NAMES.map((step) => steps[step].lambda.metricThrottles({ label: `${step} throttled` })),
      width: 12,
    }),
  ];
}

/** 1 while any of the models has records pending and processes none. */
function stuck(models: readonly string[]): MathExpression {
  const period = Duration.minutes(STUCK_PERIOD_MINUTES);
  const usingMetrics: Record<string, Metric> = {};
  const terms = models.map((ModelId, index) => {
    const metric = (metricName: string, statistic: string) =>
      new Metric({ namespace: BATCH_NAMESPACE, metricName, statistic, period, dimensionsMap: { ModelId } });
    usingMetrics[`pending${index}`] = metric(PENDING, 'Minimum');
    usingMetrics[`rate${index}`] = metric(INPUT_RATE, 'Maximum');
    return `IF(FILL(pending${index}, 0) > 0 AND FILL(rate${index}, 0) == 0, 1, 0)`;
  });
  return new MathExpression({
    expression: terms.join(' + '),
    usingMetrics,
    period,
    label: 'models with stuck jobs',
  });
}

function byModel(metricName: string, statistic: string): MathExpression {
  return new MathExpression({
    expression: `SEARCH('{${BATCH_NAMESPACE},ModelId} MetricName="${metricName}"', '${statistic}', 300)`,
    usingMetrics: {},
    label: '',
  });
}
