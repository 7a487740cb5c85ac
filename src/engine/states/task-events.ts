import { errorDetails, type HistoryEventDetails } from '../history.ts';
import type { StateError } from '../state-error.ts';
import { isFunctionArn } from './task-resource.ts';

/** What the history says of one attempt at a task. */
export interface TaskEvents {
  scheduled(parameters: unknown, timeoutSeconds: number | undefined): HistoryEventDetails;
  started(): HistoryEventDetails;
  succeeded(output: unknown): HistoryEventDetails;
  failed(error: StateError): HistoryEventDetails;
}

/** The events of a Task state: a Lambda function that is named by its ARN has events of its own. */
export function taskEvents(named: { stateName: string; resource: string }): TaskEvents {
  return isFunctionArn(named.resource) ? functionEvents(named) : integrationEvents(named);
}

function integrationEvents(named: { stateName: string; resource: string }): TaskEvents {
  return {
    scheduled: (parameters, timeoutSeconds) => ({
      type: 'TaskScheduled',
      ...named,
      parameters,
      ...timeLimit(timeoutSeconds),
    }),
    started: () => ({ type: 'TaskStarted', ...named }),
    succeeded: (output) => ({ type: 'TaskSucceeded', ...named, output }),
    failed: (error) => ({
      type: isTimeout(error) ? 'TaskTimedOut' : 'TaskFailed',
      ...named,
      ...errorDetails(error),
    }),
  };
}

function functionEvents({ stateName, resource }: { stateName: string; resource: string }): TaskEvents {
  return {
    scheduled: (input, timeoutSeconds) => ({
      type: 'LambdaFunctionScheduled',
      stateName,
      resource,
      input,
      ...timeLimit(timeoutSeconds),
    }),
    started: () => ({ type: 'LambdaFunctionStarted', stateName }),
    succeeded: (output) => ({ type: 'LambdaFunctionSucceeded', stateName, output }),
    failed: (error) => ({
      type: isTimeout(error) ? 'LambdaFunctionTimedOut' : 'LambdaFunctionFailed',
      stateName,
      ...errorDetails(error),
    }),
  };
}

function isTimeout({ error }: StateError): boolean {
  return error === 'States.Timeout';
}

function timeLimit(timeoutSeconds: number | undefined): { timeoutInSeconds?: number } {
  return timeoutSeconds === undefined ? {} : { timeoutInSeconds: timeoutSeconds };
}
