import { givenName } from '../core/plan/names-apart.ts';
import type { RunPlan } from '../core/plan/run-plan.ts';
import { answerSchemaOf, type JsonSchema, schemaInstruction } from '../core/run-input/output-schema.ts';
import { choiceOf, type PromptPiece, parsePromptTemplate } from '../prompts/prompt-template.ts';

/** Columns that Quarry adds, beside that of the answer, which say how a row came to it. */
const OWN_COLUMNS = new Set([
  'record_id',
  'error_code',
  'error_message',
  'stop_reason',
  'input_tokens',
  'output_tokens',
  'thinking_tokens',
  'attempts',
]);

/** What the prompt of a row is made of; for embeddings the column that is embedded. */
export function piecesOf({ variants: [variant], input }: RunPlan): PromptPiece[] {
  const { prompt_template, prompt_templates, schema_form } = variant;
  if (prompt_template !== null || prompt_templates !== undefined) {
    const pieces =
      prompt_template === null
        ? [choiceOf(String(input.prompt_id_column), prompt_templates ?? {})]
        : parsePromptTemplate(prompt_template);
    if (input.output_schema === undefined || schema_form === 'native') return pieces;
    const instruction = schemaInstruction(answerSchemaOf(input.output_schema as JsonSchema));
    return [...pieces, { kind: 'literal', text: instruction }];
  }
  return [{ kind: 'column', column: String(input.text_column ?? 'input_text') }];
}

/** The columns that a schema of answers adds to the results: those that nothing else does. */
export function typedColumnsOf({ dataset, variants: [{ output_column }], input }: RunPlan): string[] {
  if (input.output_schema === undefined) return [];
  const prefix = typeof input.output_prefix === 'string' ? input.output_prefix : '';
  const { properties } = answerSchemaOf(input.output_schema as JsonSchema);
  const names = Object.keys(properties).map((name) => `${prefix}${name}`);
  const others = new Set([...dataset.columns.map(({ name }) => givenName(name)), output_column]);
  return names.filter((name) => !others.has(name) && !OWN_COLUMNS.has(name));
}
