import type { StateMachineDefinition } from '../../../src/engine/definition/amazon-states-language.ts';

// Definitions that the types of src/workflow would not take.
export const machine = (all: Record<string, object>, more: object = {}) =>
  ({ StartAt: Object.keys(all)[0], States: all, ...more }) as unknown as StateMachineDefinition;
export const task = { Type: 'Task', Resource: 'r', End: true };
export const pass = { Type: 'Pass', End: true };
export const processor = (config: object, states: object = { In: task }, more: object = {}) => ({
  ProcessorConfig: config,
  StartAt: Object.keys(states)[0],
  States: states,
  ...more,
});
export const distributed = { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' };
export const map = (fields: object = {}) =>
  machine({ S: { Type: 'Map', ItemProcessor: processor(distributed), End: true, ...fields } });
const reader = (fields: object) =>
  map({
    ItemReader: {
      Resource: 'arn:aws:states:::s3:getObject',
      Parameters: { Bucket: 'b', Key: 'k' },
      ReaderConfig: { InputType: 'JSON' },
      ...fields,
    },
  });

/** What the engine does not do, by the name under which docs/asl-support.md lists it, with the words that name it. */
export const unsupported: Record<string, [StateMachineDefinition, RegExp]> = {
  'QueryLanguage JSONata (state machine)': [
    machine({ S: task }, { QueryLanguage: 'JSONata' }),
    /State machine, field "QueryLanguage": "JSONata" is not supported/,
  ],
  'QueryLanguage JSONata (state)': [
    machine({ S: { ...task, QueryLanguage: 'JSONata' } }),
    /State "S", field "QueryLanguage": "JSONata" is not supported/,
  ],
  Assign: [machine({ S: { ...pass, Assign: { a: 1 } } }), /State "S", field "Assign": not supported/],
  Arguments: [machine({ S: { ...task, Arguments: {} } }), /State "S", field "Arguments": not supported/],
  Output: [machine({ S: { ...pass, Output: {} } }), /State "S", field "Output": not supported/],
  Condition: [
    machine({ S: { Type: 'Choice', Choices: [{ Condition: '{% true %}', Next: 'E' }] }, E: pass }),
    /State "S", field "Choices.0.Condition"/,
  ],
  Items: [map({ Items: [] }), /State "S", field "Items"/],
  HeartbeatSeconds: [machine({ S: { ...task, HeartbeatSeconds: 1 } }), /State "S", field "HeartbeatSeconds"/],
  HeartbeatSecondsPath: [
    machine({ S: { ...task, HeartbeatSecondsPath: '$.h' } }),
    /State "S", field "HeartbeatSecondsPath"/,
  ],
  Credentials: [machine({ S: { ...task, Credentials: {} } }), /State "S", field "Credentials"/],
  '.waitForTaskToken': [
    machine({ S: { ...task, Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken' } }),
    /State "S", field "Resource": ".waitForTaskToken" is not supported/,
  ],
  '.sync and .sync:2': [
    machine({ S: { ...task, Resource: 'arn:aws:states:::states:startExecution.sync:2' } }),
    /State "S", field "Resource": ".sync:2" is not supported/,
  ],
  'Activity tasks': [
    machine({ S: { ...task, Resource: 'arn:aws:states:us-east-1:123456789012:activity:work' } }),
    /State "S", field "Resource": ":activity:" is not supported/,
  ],
  '$$.Task.Token': [
    machine({ S: { ...task, Parameters: { 'token.$': '$$.Task.Token' } } }),
    /State "S": Parameters: token.\$: .*task tokens are not supported/,
  ],
  'Iterator (older name of ItemProcessor)': [map({ Iterator: {} }), /State "S", field "Iterator"/],
  'Parameters of a Map (older name of ItemSelector)': [
    map({ Parameters: {} }),
    /State "S", field "Parameters"/,
  ],
  'ExecutionType EXPRESS': [
    map({ ItemProcessor: processor({ Mode: 'DISTRIBUTED', ExecutionType: 'EXPRESS' }) }),
    /State "S", field "ItemProcessor.ProcessorConfig.ExecutionType": "EXPRESS" is not supported/,
  ],
  'TimeoutSeconds of an ItemProcessor': [
    map({ ItemProcessor: processor(distributed, { In: task }, { TimeoutSeconds: 1 }) }),
    /State "S", field "ItemProcessor.TimeoutSeconds"/,
  ],
  'ItemReader s3:listObjectsV2': [
    reader({ Resource: 'arn:aws:states:::s3:listObjectsV2' }),
    /State "S", field "ItemReader.Resource": ".*listObjectsV2" is not supported/,
  ],
  'ItemReader InputType CSV': [
    reader({ ReaderConfig: { InputType: 'CSV' } }),
    /State "S", field "ItemReader.ReaderConfig.InputType": "CSV" is not supported/,
  ],
  'ItemReader InputType PARQUET': [
    reader({ ReaderConfig: { InputType: 'PARQUET' } }),
    /State "S", field "ItemReader.ReaderConfig.InputType": "PARQUET" is not supported/,
  ],
  'ItemReader InputType MANIFEST': [
    reader({ ReaderConfig: { InputType: 'MANIFEST' } }),
    /State "S", field "ItemReader.ReaderConfig.InputType": "MANIFEST" is not supported/,
  ],
  'ItemReader ItemsPointer': [
    reader({ ReaderConfig: { InputType: 'JSON', ItemsPointer: '/a' } }),
    /State "S", field "ItemReader.ReaderConfig.ItemsPointer"/,
  ],
  'ResultWriter WriterConfig': [
    map({
      ResultWriter: {
        Resource: 'arn:aws:states:::s3:putObject',
        Parameters: { Bucket: 'b' },
        WriterConfig: { OutputType: 'JSONL' },
      },
    }),
    /State "S", field "ResultWriter.WriterConfig"/,
  ],
  'JSONPath functions and scripts': [
    machine({ S: { ...task, Parameters: { 'n.$': '$.list.length()' } } }),
    /State "S": Parameters: n.\$: "\$.list.length\(\)" is not a path/,
  ],
};
