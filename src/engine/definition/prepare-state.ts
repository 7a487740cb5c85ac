import type { Expression } from '../data/intrinsic-expression.ts';
import { compileReferencePath, setAtPath } from '../data/json-path.ts';
import { compileExpression, compileTemplate, invalidPath } from '../data/payload-template.ts';
import { prepareDistributedMap } from '../map/distributed-map.ts';
import { InvalidDefinitionError, inField } from '../state-error.ts';
import { prepareChoice } from '../states/choice-state.ts';
import { prepareFail } from '../states/fail-state.ts';
import { prepareInlineMap } from '../states/inline-map.ts';
import { prepareParallel } from '../states/parallel-state.ts';
import { prepareTask } from '../states/task-state.ts';
import { prepareWait } from '../states/wait-state.ts';
import type { State } from './amazon-states-language.ts';
import type { Preparation, PreparedState, StateWork } from './prepared-state.ts';

/** Parses whatever a state needs parsed, once. */
export function prepareState(state: State, preparation: Preparation): PreparedState {
  const fields: { [field: string]: unknown } = { ...state };
  return {
    name: preparation.stateName,
    type: state.Type,
    selectInput: preparePath('InputPath', fields.InputPath),
    parameters: prepareTemplate('Parameters', fields.Parameters),
    work: prepareWork(state, preparation),
    selectResult: prepareTemplate('ResultSelector', fields.ResultSelector),
    placeResult: preparePlacement(fields.ResultPath),
    selectOutput: preparePath('OutputPath', fields.OutputPath),
    next: prepareNext(state),
    retriers: 'Retry' in state ? (state.Retry ?? []) : [],
    catchers: ('Catch' in state ? (state.Catch ?? []) : []).map((catcher) => ({
      ...catcher,
      place: inField('Catch', () => preparePlacement(catcher.ResultPath)),
    })),
  };
}

function prepareWork(state: State, preparation: Preparation): StateWork {
  switch (state.Type) {
    case 'Task':
      return prepareTask(state, preparation);
    case 'Pass':
      return 'Result' in state ? () => state.Result : ({ parameters }) => parameters;
    case 'Wait':
      return prepareWait(state);
    case 'Map':
      return state.ItemProcessor.ProcessorConfig?.Mode === 'DISTRIBUTED'
        ? prepareDistributedMap(state, preparation)
        : prepareInlineMap(state, preparation);
    case 'Parallel':
      return prepareParallel(state, preparation);
    case 'Fail':
      return prepareFail(state);
    case 'Choice':
    case 'Succeed':
      return ({ data }) => data;
  }
}

function prepareNext(state: State): PreparedState['next'] {
  if (state.Type === 'Choice') return inField('Choices', () => prepareChoice(state));
  if (state.Type === 'Succeed' || state.Type === 'Fail') return () => undefined;
  const { Next } = state;
  if ((Next === undefined) === (state.End === undefined))
    throw new InvalidDefinitionError('exactly one of Next and End must be given');
  return () => Next;
}

function preparePath(field: string, path: unknown): Expression {
  if (path === undefined || path === '$') return (scope) => scope.data;
  if (path === null) return () => ({});
  return inField(field, () => compileExpression(path, invalidPath));
}

function prepareTemplate(field: string, template: unknown): Expression | undefined {
  return template === undefined ? undefined : inField(field, () => compileTemplate(template));
}

/** Where a result goes in the raw input. */
function preparePlacement(path: unknown): PreparedState['placeResult'] {
  if (path === undefined || path === '$') return (_, result) => result;
  if (path === null) return (rawInput) => rawInput;
  const { segments } = inField('ResultPath', () => compileReferencePath(String(path)));
  return (rawInput, result) => setAtPath(rawInput, segments, result);
}
