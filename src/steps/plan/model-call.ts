import { InvalidRunInputError } from '../../core/errors.ts';
import type { AnsweringServer } from '../../core/plan/run-plan.ts';
import {
  type AnswerSchema,
  answerSchemaOf,
  type SchemaForm,
  schemaInstruction,
} from '../../core/run-input/output-schema.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import type { ModelAdapter, ModelInvocationType } from '../../models/adapters/model-adapter.ts';
import {
  type MediaColumn,
  type PromptTurn,
  type RecordFrame,
  recordFrameOf,
} from '../../models/record-frame.ts';
import { type ModelChoice, type ResolvedModel, resolveModel } from '../../models/resolve-model.ts';
import { chooseSchemaForm } from '../../models/schema-form.ts';
import type { ThinkingLevel } from '../../models/thinking.ts';
import { findTemplate } from '../../prompts/find-template.ts';
import {
  choiceOf,
  type PromptPiece,
  parsePromptTemplate,
  renderPrompt,
} from '../../prompts/prompt-template.ts';
import { promptIdToTemplate } from '../../prompts/prompt-templates.ts';

/** How a run input asks its model. */
export interface ModelCall {
  adapter: ModelAdapter;
  frame: RecordFrame;
  /** The template; null for embeddings, and where rows are asked by several. */
  template: string | null;
  /** The templates that a column of the dataset chooses among; undefined where every row is asked by the same. */
  templates: Readonly<Record<string, string>> | undefined;
  /** What answers are asked to be an object of; undefined where they are texts or embeddings. */
  schema: AnswerSchema | undefined;
  /** How the model is told the schema; undefined where there is none. */
  schemaForm: SchemaForm | undefined;
  /** What of a row makes its prompt, and its system prompt where that differs by row. */
  prompt: readonly PromptPiece[];
  system: readonly PromptPiece[];
  /** Columns of images and documents, which stand before the prompt. */
  media: readonly MediaColumn[];
  /** Turns of the conversation before the prompt. */
  turns: readonly PromptTurn[];
  /** The system prompt that every row has; empty where there is none, or one that differs by row. */
  systemText: string;
  /** What the model's price goes by. */
  pricedId: string;
  /** Most tokens of an answer, thoughts included; undefined where nothing bounds them. */
  maxTokens: number | undefined;
  /** What a user should know before anything is spent. */
  notes: string[];
}

/** Column that is embedded unless the run input names another. */
const DEFAULT_TEXT_COLUMN = 'input_text';

/** The form that a run's records have had since its plan was made, whatever Quarry would choose by now. */
export interface KeptForm {
  invocationType: ModelInvocationType;
  /** Undefined where the records say nothing of it. */
  thinking: ThinkingLevel | undefined;
  schemaForm: SchemaForm | undefined;
}

/**
 * The model, prompt and body of a run input whose jobs are created in `region`, in the form that its plan has kept where
 * there is one; InvalidRunInputError where they do not go together.
 */
export function modelCallOf(
  input: RunInput,
  { region, modelServer, kept }: ModelCallPlace & { kept?: KeptForm } = {},
): ModelCall {
  const { system, systemPrompt } = systemPromptOf(input);
  const {
    base_model_id: baseModelId,
    force,
    thinking = 'off',
    inference_parameters: parameters = {},
  } = input;
  const form = kept ?? { thinking };
  const model = resolveModel(input.model_id, {
    systemPrompt,
    parameters,
    baseModelId,
    region,
    force,
    media: mediaOf(input),
    ...form,
  });
  switch (model.adapter.output.kind) {
    case 'text':
      return textCallOf(model, { input, system, schemaForm: kept?.schemaForm ?? formOf(input, modelServer) });
    case 'embedding':
      return embeddingCallOf(model, { input, system });
  }
}

/** Where a run is to be: what of it decides how its model is asked. */
export interface ModelCallPlace extends Pick<ModelChoice, 'region'> {
  /** The server that answers instead of Bedrock, if one does. */
  modelServer?: AnsweringServer | undefined;
}

/** A server that does not know the field would never see the schema: it is told it in words. */
function formOf(
  { output_schema_form: form }: RunInput,
  modelServer: AnsweringServer | undefined,
): SchemaForm | undefined {
  return form ?? (modelServer === undefined ? undefined : 'prompt');
}

/** Images come first, as the families advise. */
function mediaOf({ image_columns: images = [], document_columns: documents = [] }: RunInput): MediaColumn[] {
  return [
    ...images.map((column): MediaColumn => ({ kind: 'image', column })),
    ...documents.map((column): MediaColumn => ({ kind: 'document', column })),
  ];
}

interface Asking {
  input: RunInput;
  system: readonly PromptPiece[] | undefined;
}

function textCallOf(
  model: ResolvedModel,
  { input, system, schemaForm }: Asking & { schemaForm: SchemaForm | undefined },
): ModelCall {
  const { model_id: modelId, output_schema } = input;
  refuseKey(input, 'text_column', `${modelId} is a text model; only embeddings read a text_column.`);
  const { prompt, ...templates } = promptsOf(input);
  const turns = (input.messages ?? []).map(
    ({ role, content }, index): PromptTurn => ({
      role,
      pieces: parsePromptTemplate(content, `turn ${index + 1} of messages`),
    }),
  );
  const media = mediaOf(input);
  if (output_schema === undefined) return callOf(model, { ...templates, prompt, media, turns, system });
  const schema = answerSchemaOf(output_schema);
  const choice = chooseSchemaForm(schema, { model, modelId, form: schemaForm });
  const noted = { ...model, notes: [...model.notes, ...choice.notes] };
  if (choice.form === 'native') {
    const held = { ...noted, request: { ...model.request, schema: choice.sent } };
    return callOf(held, { ...templates, schema, schemaForm: 'native', prompt, media, turns, system });
  }
  const instruction: PromptPiece = { kind: 'literal', text: schemaInstruction(schema) };
  return callOf(noted, {
    ...templates,
    schema,
    schemaForm: 'prompt',
    prompt: [...prompt, instruction],
    media,
    turns,
    system,
  });
}

/** What every row is asked by: one template, or several that a column chooses among. */
function promptsOf({
  model_id: modelId,
  prompt_template,
  prompt_id,
  prompt_id_column: column,
  prompt_templates,
}: RunInput): Pick<ModelCall, 'prompt' | 'template' | 'templates'> {
  if (column !== undefined) {
    const templates = prompt_templates ?? promptIdToTemplate;
    return { prompt: [choiceOf(column, templates)], template: null, templates };
  }
  const template = prompt_template ?? (prompt_id === undefined ? undefined : findTemplate(prompt_id));
  if (template === undefined) {
    throw new InvalidRunInputError(
      `${modelId} is a text model: give prompt_id or prompt_template, or prompt_id_column.`,
    );
  }
  return { prompt: parsePromptTemplate(template), template, templates: undefined };
}

function embeddingCallOf(model: ResolvedModel, { input, system }: Asking): ModelCall {
  const { model_id: modelId, text_column } = input;
  const media = mediaOf(input);
  refuseKey(input, 'output_schema', `${modelId} makes embeddings, which have no schema. Leave it out.`);
  const why = `${modelId} makes embeddings and takes no prompt. Leave it out; text_column names the column to embed.`;
  refuseKey(input, 'prompt_id', why);
  refuseKey(input, 'prompt_template', why);
  refuseKey(input, 'prompt_id_column', why);
  refuseKey(input, 'messages', why);
  const [image] = media;
  if (image !== undefined && text_column !== undefined && model.adapter.media?.besideText !== true) {
    throw new InvalidRunInputError(
      `text_column: ${modelId} makes an embedding of a text or of an image, not of both. Give text_column or image_columns.`,
    );
  }
  const column = text_column ?? (image === undefined ? DEFAULT_TEXT_COLUMN : undefined);
  const prompt: readonly PromptPiece[] | undefined =
    column === undefined ? undefined : [{ kind: 'column', column }];
  return callOf(model, { template: null, templates: undefined, prompt, media, turns: [], system });
}

function refuseKey(input: RunInput, key: keyof RunInput, why: string): void {
  if (input[key] !== undefined) throw new InvalidRunInputError(`${key}: ${why}`);
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

function callOf(model: ResolvedModel, { schema, schemaForm, system, ...asked }: AskedOfRows): ModelCall {
  return {
    ...model,
    ...asked,
    prompt: asked.prompt ?? [],
    frame: recordFrameOf(model.adapter, model.request, { ...asked, system }),
    schema,
    schemaForm,
    system: system ?? [],
    systemText: system === undefined ? (model.request.systemPrompt ?? '') : '',
  };
}

type AskedOfRows = Pick<ModelCall, 'template' | 'templates' | 'media' | 'turns'> &
  Partial<Pick<ModelCall, 'schema' | 'schemaForm'>> & {
    /** Undefined where an image is all there is. */
    prompt: readonly PromptPiece[] | undefined;
    system: readonly PromptPiece[] | undefined;
  };
