import { definition } from '../../workflow/definition.ts';

/**
 * The workflow's definition as it holds on this machine: without the time limit of a Lambda function, as a step waits for its
 * turn here, and may have a slow connection to S3 or to the Hub.
 */
export const machineDefinition: typeof definition = JSON.parse(
  JSON.stringify(definition),
  (_key, value: Readonly<Record<string, unknown>>) => {
    if (value?.Resource !== 'arn:aws:states:::lambda:invoke') return value;
    const { TimeoutSeconds: _, ...state } = value;
    return state;
  },
);
