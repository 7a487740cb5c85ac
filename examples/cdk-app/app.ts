// The workflow as a construct in an app of your own: `npx cdk synth --app "node examples/cdk-app/app.ts"`.
import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import { BedrockBatchWorkflow } from '../../infra/bedrock-batch-workflow.ts';

const app = new App();
const stack = new Stack(app, 'Reviews');
const workflow = new BedrockBatchWorkflow(stack, 'Batch', {
  allowedModels: ['amazon.nova-lite-v1:0'],
  limits: { maxConcurrentJobs: 5 },
});

// Yours goes beside it: here, every file that arrives below datasets/reviews/ is classified.
workflow.bucket.enableEventBridgeNotification();
new Rule(stack, 'NewReviews', {
  eventPattern: {
    source: ['aws.s3'],
    detailType: ['Object Created'],
    detail: {
      bucket: { name: [workflow.bucket.bucketName] },
      object: { key: [{ prefix: 'datasets/reviews/' }] },
    },
  },
  targets: [
    new SfnStateMachine(workflow.stateMachine, {
      input: RuleTargetInput.fromObject({
        s3_uri: `s3://${workflow.bucket.bucketName}/${EventField.fromPath('$.detail.object.key')}`,
        model_id: 'amazon.nova-lite-v1:0',
        prompt_template: 'Is this review positive or negative? One word.\n\n{review}',
      }),
    }),
  ],
});

new CfnOutput(stack, 'stateMachineArn', { value: workflow.stateMachine.stateMachineArn });
