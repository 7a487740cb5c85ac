import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { BedrockBatchWorkflow, packageVersion } from './bedrock-batch-workflow.ts';
import { RunNotifications } from './run-notifications.ts';
import type { Settings } from './settings.ts';
import { WorkflowMonitoring } from './workflow-monitoring.ts';

/** What the stack is deployed with. */
export interface QuarryStackProps extends StackProps {
  readonly settings: Settings;
}

/** The workflow, with notifications, alarms and a dashboard. */
export class QuarryStack extends Stack {
  readonly workflow: BedrockBatchWorkflow;

  constructor(scope: Construct, id: string, { settings, ...props }: QuarryStackProps) {
    super(scope, id, {
      description: 'Quarry: batch inference over datasets with Amazon Bedrock.',
      ...props,
    });
    const { kmsKeyArn, huggingFaceTokenSecretArn, jobSubnetIds, jobSecurityGroupIds } = settings;
    this.workflow = new BedrockBatchWorkflow(this, 'Quarry', {
      allowedModels: settings.allowedModels,
      inputBuckets: settings.inputBuckets,
      inputKeyArns: settings.inputKeyArns,
      ...(kmsKeyArn === undefined ? {} : { encryptionKey: Key.fromKeyArn(this, 'BucketKey', kmsKeyArn) }),
      ...(huggingFaceTokenSecretArn === undefined
        ? {}
        : {
            huggingFaceToken: Secret.fromSecretCompleteArn(
              this,
              'HuggingFaceToken',
              huggingFaceTokenSecretArn,
            ),
          }),
      ...(jobSubnetIds.length === 0
        ? {}
        : { jobNetwork: { subnetIds: jobSubnetIds, securityGroupIds: jobSecurityGroupIds } }),
      limits: settings,
      retention: {
        workingFilesDays: settings.workingFilesDays,
        logs: settings.logRetentionDays,
        destroyBucket: settings.destroyBucket,
      },
    });
    const { bucket, serviceRole, stateMachine } = this.workflow;
    const { topic } = new RunNotifications(this, 'Notifications', { stateMachine, email: settings.email });
    new WorkflowMonitoring(this, 'Monitoring', {
      workflow: this.workflow,
      topic,
      watchedModels: settings.watchedModels,
    });

    const output = (name: string, value: string, description: string) =>
      new CfnOutput(this, name, { value, description });
    output('bucketName', bucket.bucketName, 'Datasets, working files and results.');
    output('stepFunctionName', stateMachine.stateMachineName, 'The state machine.');
    output('stateMachineArn', stateMachine.stateMachineArn, 'Start executions of this.');
    output('serviceRoleArn', serviceRole.roleArn, 'Assumed by Bedrock for the jobs.');
    output('notificationTopicArn', topic.topicArn, 'Told when a run ends or an alarm goes off.');
    for (const limit of [
      'maxConcurrentJobs',
      'prepareConcurrency',
      'minRecordsPerJob',
      'maxRecordsPerJob',
    ] as const) {
      output(
        limit,
        String(settings[limit]),
        'As it was deployed; quarry doctor compares it with the quotas.',
      );
    }
    output('quarryVersion', packageVersion(), 'Version that was deployed.');
    output(
      'afterDestroy',
      settings.destroyBucket
        ? 'Nothing is kept: the bucket is deleted with the stack.'
        : `The bucket with your results is kept. Delete it with: aws s3 rb s3://${bucket.bucketName} --force`,
      'What `cdk destroy` keeps.',
    );
  }
}
