import {
  type EmulatedRequest,
  extraKeyOf,
  type ModelFamily,
  malformed,
  numberOr,
  type Refusal,
  stringsOf,
} from './model-family.ts';
import { typeName } from './nova-messages.ts';

const LLAMA_FIELDS = new Set(['prompt', 'max_gen_len', 'temperature', 'top_p', 'images']);
const MISTRAL_FIELDS = new Set(['prompt', 'max_tokens', 'stop', 'temperature', 'top_p', 'top_k']);
const STOP_REASONS = { end: 'stop', length: 'length', 'stop-sequence': 'stop' } as const;
/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html */
const DEFAULT_LLAMA_TOKENS = 512;

/** Bodies of Meta Llama. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html */
export const llamaPrompt: ModelFamily = {
  readRequest: (body, model) => {
    const extra = extraKeyOf(body, LLAMA_FIELDS);
    if (extra !== undefined) return malformed(`#: extraneous key [${extra}] is not permitted`);
    return readPrompt(body, {
      tokensKey: 'max_gen_len',
      defaultTokens: DEFAULT_LLAMA_TOKENS,
      maxTokens: model.maxOutputTokens,
      userText:
        /<\|(?:start_header_id|header_start)\|>user<\|(?:end_header_id|header_end)\|>\s*(.*?)<\|eot(?:_id)?\|>/gs,
    });
  },
  writeAnswer: (answer) => {
    if (answer.kind === 'embedding') return {};
    return {
      generation: answer.text,
      prompt_token_count: answer.inputTokens,
      generation_token_count: answer.outputTokens,
      stop_reason: STOP_REASONS[answer.stop],
    };
  },
};

/** Bodies of Mistral 7B and Mixtral. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html */
export const mistralPrompt: ModelFamily = {
  readRequest: (body, model) => {
    const extra = extraKeyOf(body, MISTRAL_FIELDS);
    if (extra !== undefined) return malformed(`#: extraneous key [${extra}] is not permitted`);
    return readPrompt(body, {
      tokensKey: 'max_tokens',
      defaultTokens: undefined,
      maxTokens: model.maxOutputTokens,
      userText: /\[INST\]\s*(.*?)\s*\[\/INST\]/gs,
    });
  },
  writeAnswer: (answer) => {
    if (answer.kind === 'embedding') return {};
    return { outputs: [{ text: answer.text, stop_reason: STOP_REASONS[answer.stop] }] };
  },
};

interface PromptForm {
  tokensKey: string;
  defaultTokens: number | undefined;
  maxTokens: number | undefined;
  /** Finds the user's words between a family's special tokens. */
  userText: RegExp;
}

function readPrompt(body: Record<string, unknown>, form: PromptForm): EmulatedRequest | Refusal {
  const raw = body.prompt;
  if (raw === undefined) return malformed('#: required key [prompt] not found');
  if (typeof raw !== 'string') return malformed(`#/prompt: expected type: String, found: ${typeName(raw)}`);
  if (raw === '') return malformed('#/prompt: expected minLength: 1, actual: 0');
  const tokens = body[form.tokensKey] ?? form.defaultTokens;
  if (tokens !== undefined) {
    const path = `#/${form.tokensKey}`;
    if (!Number.isInteger(tokens))
      return malformed(`${path}: expected type: Integer, found: ${typeName(tokens)}`);
    if (Number(tokens) < 1) return malformed(`${path}: ${tokens} is not greater or equal to 1`);
    if (Number(tokens) > (form.maxTokens ?? Number.POSITIVE_INFINITY)) {
      return malformed(`${path}: ${tokens} is not less or equal to ${form.maxTokens}`);
    }
  }
  const prompt = [...raw.matchAll(form.userText)].at(-1)?.[1] ?? raw;
  return {
    kind: 'text',
    messages: [{ role: 'user', content: raw }],
    prompt,
    maxTokens: numberOr(tokens),
    temperature: numberOr(body.temperature),
    topP: numberOr(body.top_p),
    stopSequences: stringsOf(body.stop),
  };
}
