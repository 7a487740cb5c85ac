import { Stack } from 'aws-cdk-lib';
import { EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

/** Whose runs are reported, and to whom. */
export interface RunNotificationsProps {
  readonly stateMachine: StateMachine;
  /**
   * Who is told by e-mail.
   * @default nobody; the topic is there to be subscribed to
   */
  readonly email?: string | undefined;
}

/** Tells a topic, and whoever subscribes to it, of every run that ended. */
export class RunNotifications extends Construct {
  readonly topic: Topic;
  /** Matches the end of a run; its Map Runs' children belong to machines of other names. */
  readonly rule: Rule;

  constructor(scope: Construct, id: string, { stateMachine, email }: RunNotificationsProps) {
    super(scope, id);
    this.topic = new Topic(this, 'Topic', { enforceSSL: true });
    // A topic with any policy of its own loses the default one, by which alarms of the account may publish.
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsPublish',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    if (email !== undefined) this.topic.addSubscription(new EmailSubscription(email));
    this.rule = new Rule(this, 'RunEnded', {
      description: 'A run of the batch inference workflow has ended.',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          stateMachineArn: [stateMachine.stateMachineArn],
          status: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'],
        },
      },
    });
    this.rule.addTarget(
      new targets.SnsTopic(this.topic, {
        // Neither input nor output: they hold prompts.
        message: RuleTargetInput.fromText(
          `Run ${EventField.fromPath('$.detail.name')} ended ${EventField.fromPath('$.detail.status')}. ${EventField.fromPath('$.detail.executionArn')}`,
        ),
      }),
    );
  }
}
