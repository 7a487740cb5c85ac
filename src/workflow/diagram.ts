import type {
  ChoiceRule,
  State,
  StateMachineDefinition,
  States,
} from '../engine/definition/amazon-states-language.ts';

/** Draws a definition as a Mermaid flowchart; what a Map or a Parallel state runs is a subgraph. */
export function drawDefinition(definition: StateMachineDefinition): string {
  const drawing: Drawing = { lines: ['flowchart TD'], nextId: 1 };
  drawStates(definition, drawing, 1);
  return `${drawing.lines.join('\n')}\n`;
}

interface Drawing {
  lines: string[];
  nextId: number;
}

function drawStates(states: States, drawing: Drawing, depth: number): void {
  const indent = '  '.repeat(depth);
  const add = (line: string) => drawing.lines.push(`${indent}${line}`);
  const newId = () => `s${drawing.nextId++}`;
  const ids = new Map(Object.keys(states.States).map((name) => [name, newId()]));
  const idOf = (name: string) => ids.get(name) ?? name;
  const start = newId();
  add(`${start}((" "))`);
  for (const [name, state] of Object.entries(states.States)) {
    const nested = nestedStates(state);
    if (nested.length === 0) {
      add(`${idOf(name)}${shape(name, state)}`);
      continue;
    }
    add(`subgraph ${idOf(name)} ["${escapeText(nestedTitle(name, state))}"]`);
    for (const inner of nested) drawStates(inner, drawing, depth + 1);
    add('end');
  }
  add(`${start} --> ${idOf(states.StartAt)}`);
  for (const [name, state] of Object.entries(states.States))
    for (const { to, label, caught } of edgesOf(state)) {
      const arrow = caught ? '-.->' : '-->';
      add(`${idOf(name)} ${arrow}${label === '' ? '' : `|"${escapeText(label)}"|`} ${idOf(to)}`);
    }
}

function nestedStates(state: State): readonly States[] {
  if (state.Type === 'Map') return [state.ItemProcessor];
  return state.Type === 'Parallel' ? state.Branches : [];
}

function nestedTitle(name: string, state: State): string {
  if (state.Type === 'Parallel') return `${name} (Parallel)`;
  const isDistributed = state.Type === 'Map' && state.ItemProcessor.ProcessorConfig?.Mode === 'DISTRIBUTED';
  return isDistributed ? `${name} (Distributed Map)` : `${name} (Map)`;
}

function shape(name: string, state: State): string {
  const text = `"${escapeText(name)}"`;
  switch (state.Type) {
    case 'Choice':
      return `{${text}}`;
    case 'Wait':
    case 'Pass':
      return `(${text})`;
    case 'Succeed':
    case 'Fail':
      return `([${text}])`;
    case 'Task':
    case 'Map':
    case 'Parallel':
      return `[${text}]`;
  }
}

function edgesOf(state: State): { to: string; label: string; caught: boolean }[] {
  const edges: { to: string; label: string; caught: boolean }[] = [];
  if (state.Type === 'Choice') {
    for (const branch of state.Choices)
      edges.push({ to: branch.Next, label: branch.Comment ?? describeRule(branch), caught: false });
    if (state.Default !== undefined) edges.push({ to: state.Default, label: 'otherwise', caught: false });
  }
  if ('Next' in state && state.Next !== undefined) edges.push({ to: state.Next, label: '', caught: false });
  if ('Catch' in state)
    for (const { ErrorEquals, Next } of state.Catch ?? [])
      edges.push({ to: Next, label: ErrorEquals.join(', '), caught: true });
  return edges;
}

/** A rule in a few words, such as `$.status = Completed`. */
function describeRule(rule: ChoiceRule): string {
  if ('And' in rule) return rule.And.map(describeRule).join(' and ');
  if ('Or' in rule) return describeAlternatives(rule.Or.map(describeRule));
  if ('Not' in rule) return `not (${describeRule(rule.Not)})`;
  const { Variable, ...rest } = rule;
  const [operator, operand] = Object.entries(rest).find(([key]) => key !== 'Next' && key !== 'Comment') ?? [
    '',
    '',
  ];
  if (operator.startsWith('Is'))
    return `${Variable} ${operand === true ? 'is' : 'is not'} ${operator.slice(2).toLowerCase()}`;
  return `${Variable} ${describeRelation(operator)} ${operand}`;
}

/** `$.a = x or y` for rules that differ in their last word only, else the rules in full. */
function describeAlternatives(rules: readonly string[]): string {
  const stem = rules[0]?.slice(0, rules[0].lastIndexOf(' ') + 1) ?? '';
  const sameStem =
    stem !== '' && rules.every((rule) => rule.lastIndexOf(' ') === stem.length - 1 && rule.startsWith(stem));
  return sameStem ? stem + rules.map((rule) => rule.slice(stem.length)).join(' or ') : rules.join(' or ');
}

function describeRelation(operator: string): string {
  const relation = operator.replace(/^(String|Numeric|Timestamp|Boolean)/, '').replace(/Path$/, '');
  const signs: Record<string, string> = {
    Equals: '=',
    LessThan: '<',
    LessThanEquals: '<=',
    GreaterThan: '>',
    GreaterThanEquals: '>=',
    Matches: 'matches',
  };
  return signs[relation] ?? relation;
}

/** Mermaid's entities for what would end a quoted text or be taken for HTML. */
function escapeText(text: string): string {
  return text
    .replaceAll('#', '#35;')
    .replaceAll('"', '#quot;')
    .replaceAll('<', '#lt;')
    .replaceAll('>', '#gt;');
}
