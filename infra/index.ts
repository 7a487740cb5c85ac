/** `quarry/cdk`: the workflow as a construct of the AWS CDK. */

export {
  BedrockBatchWorkflow,
  type BedrockBatchWorkflowProps,
  type WorkflowLimits,
  type WorkflowRetention,
} from './bedrock-batch-workflow.ts';
export type { JobNetwork } from './bedrock-service-role.ts';
export type { StepLambda } from './step-lambda.ts';
