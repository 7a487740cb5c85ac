import { InvalidRunInputError } from '../core/errors.ts';
import type { AnswerSchema, JsonSchema, SchemaForm } from '../core/run-input/output-schema.ts';
import { sentSchemaOf } from '../core/run-input/sent-schema.ts';
import type { ResolvedModel } from './resolve-model.ts';

/** How a model is told a schema. */
export type SchemaChoice =
  | { form: 'native'; sent: JsonSchema; notes: readonly string[] }
  | { form: 'prompt'; notes: readonly string[] };

/**
 * The model's own form where it has one and takes the schema, or the form that was asked for. Throws InvalidRunInputError
 * where that cannot be.
 */
export function chooseSchemaForm(
  schema: AnswerSchema,
  {
    model: { adapter, facts },
    modelId,
    form,
  }: { model: Pick<ResolvedModel, 'adapter' | 'facts'>; modelId: string; form: SchemaForm | undefined },
): SchemaChoice {
  if (form === 'prompt') return { form, notes: [] };
  const isHeld = adapter.schemaField !== undefined && (form === 'native' || facts?.structuredOutput === true);
  if (!isHeld) {
    if (form === undefined) return { form: 'prompt', notes: [] };
    throw new InvalidRunInputError(
      `output_schema_form: ${adapter.family} has no field that holds answers to a schema, so ${modelId} can be told it in the prompt only. Leave output_schema_form out.`,
    );
  }
  const sent = sentSchemaOf(schema);
  if (sent.kind === 'sent') {
    const isKnown = facts?.structuredOutput === true;
    const note = `Whether ${modelId} can be held to a schema is not known; output_schema_form says to try.`;
    return { form: 'native', sent: sent.schema, notes: isKnown ? [] : [note] };
  }
  if (form === 'native') {
    throw new InvalidRunInputError(
      `output_schema: Bedrock does not take it in the model’s own form, as ${sent.why}. Change it, or leave output_schema_form out.`,
    );
  }
  return {
    form: 'prompt',
    notes: [
      `output_schema is told in the prompt: Bedrock does not take it in the model’s own form, as ${sent.why}.`,
    ],
  };
}
