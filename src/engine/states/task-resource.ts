const FUNCTION_ARN = /^arn:aws[\w-]*:lambda:/;
const INTEGRATION = /^arn:aws[\w-]*:states:::(.+):[^:]+$/;

/** True where Resource names a Lambda function itself, the older way to call one. */
export function isFunctionArn(resource: string): boolean {
  return FUNCTION_ARN.test(resource);
}

/** True where a Lambda function is called, in either way. */
export function callsFunction(resource: string): boolean {
  return isFunctionArn(resource) || /^arn:aws[\w-]*:states:::lambda:invoke$/.test(resource);
}

/** What Step Functions calls the task in errors about its size: `lambda`, `aws-sdk:bedrock`, or a function's ARN. */
export function taskNameOf(resource: string): string {
  return INTEGRATION.exec(resource)?.[1] ?? resource;
}
