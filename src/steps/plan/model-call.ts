import { InvalidRunInputError } from '../../core/errors.ts';
import { type AnswerSchema, answerSchemaOf, schemaInstruction } from '../../core/run-input/output-schema.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import type { ModelAdapter, ModelRequest } from '../../models/adapters/model-adapter.ts';
import { type RecordFrame, recordFrameOf } from '../../models/record-frame.ts';
import { type ModelChoice, type ResolvedModel, resolveModel } from '../../models/resolve-model.ts';
import { findTemplate } from '../../prompts/find-template.ts';
import { type PromptPiece, parsePromptTemplate, renderPrompt } from '../../prompts/prompt-template.ts';

/** How a run input asks its model. */
export interface ModelCall {
  adapter: ModelAdapter;
  frame: RecordFrame;
  /** The template, or null for embeddings. */
  template: string | null;
  /** What answers are asked to be an object of; undefined where they are texts or embeddings. */
  schema: AnswerSchema | undefined;
  /** What of a row makes its prompt, and its system prompt where that differs by row. */
  prompt: readonly PromptPiece[];
  system: readonly PromptPiece[];
  /** The system prompt that every row has; empty where there is none, or one that differs by row. */
  systemText: string;
  /** What the model's price goes by. */
  pricedId: string;
  /** What a user should know before anything is spent. */
  notes: string[];
}

/** Column that is embedded unless the run input names another. */
const DEFAULT_TEXT_COLUMN = 'input_text';

/**
 * The model, prompt and body of a run input whose jobs are created in `region`, in the form of record that its plan
 * names where it has one; InvalidRunInputError where they do not go together.
 */
export function modelCallOf(
  input: RunInput,
  { region, invocationType }: Pick<ModelChoice, 'region' | 'invocationType'> = {},
): ModelCall {
  const { system, systemPrompt } = systemPromptOf(input);
  const request = { systemPrompt, parameters: input.inference_parameters ?? {} };
  const { base_model_id: baseModelId, force } = input;
  const model = resolveModel(input.model_id, { ...request, baseModelId, region, invocationType, force });
  const { adapter } = model;
  const refuse = (key: 'prompt_id' | 'prompt_template' | 'text_column', why: string) => {
    if (input[key] !== undefined) throw new InvalidRunInputError(`${key}: ${why}`);
  };
  switch (adapter.output.kind) {
    case 'text': {
      refuse('text_column', `${input.model_id} is a text model; only embeddings read a text_column.`);
      const template =
        input.prompt_template ?? (input.prompt_id === undefined ? undefined : findTemplate(input.prompt_id));
      if (template === undefined) {
        throw new InvalidRunInputError(
          `${input.model_id} is a text model: give prompt_id or prompt_template.`,
        );
      }
      const schema = input.output_schema && answerSchemaOf(input.output_schema);
      const prompt = [...parsePromptTemplate(template), ...instructionOf(schema)];
      return callOf(model, request, { template, schema, prompt, system });
    }
    case 'embedding': {
      if (input.output_schema !== undefined) {
        throw new InvalidRunInputError(
          `output_schema: ${input.model_id} makes embeddings, which have no schema. Leave it out.`,
        );
      }
      const why = `${input.model_id} makes embeddings and takes no prompt. Leave it out; text_column names the column to embed.`;
      refuse('prompt_id', why);
      refuse('prompt_template', why);
      const column = input.text_column ?? DEFAULT_TEXT_COLUMN;
      const prompt: PromptPiece[] = [{ kind: 'column', column }];
      return callOf(model, request, { template: null, schema: undefined, prompt, system });
    }
  }
}

/** What asks for an answer of the schema, at the end of the prompt. */
function instructionOf(schema: AnswerSchema | undefined): PromptPiece[] {
  return schema === undefined ? [] : [{ kind: 'literal', text: schemaInstruction(schema) }];
}

/** The system prompt: the same for every row, or the pieces that a row makes it of. */
function systemPromptOf({ system_prompt: template }: RunInput): {
  systemPrompt: string | undefined;
  system: readonly PromptPiece[] | undefined;
} {
  if (template === undefined) return { systemPrompt: undefined, system: undefined };
  const pieces = parsePromptTemplate(template, 'system prompt');
  const constant = renderPrompt(pieces, {});
  return constant === null
    ? { systemPrompt: template, system: pieces }
    : { systemPrompt: constant, system: undefined };
}

function callOf(
  model: ResolvedModel,
  request: ModelRequest,
  {
    template,
    schema,
    prompt,
    system,
  }: Pick<ModelCall, 'template' | 'schema' | 'prompt'> & { system: readonly PromptPiece[] | undefined },
): ModelCall {
  return {
    ...model,
    frame: recordFrameOf(model.adapter, request, { prompt, system }),
    template,
    schema,
    prompt,
    system: system ?? [],
    systemText: system === undefined ? (request.systemPrompt ?? '') : '',
  };
}
