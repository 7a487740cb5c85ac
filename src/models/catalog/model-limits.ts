/**
 * What single models refuse for every record, so that a job of nothing but errors is refused before it is paid.
 * Ceilings and conflicts as observed on the service in 2026.
 */
export interface ModelLimits {
  maxTokens?: number;
  maxTemperature?: number;
  /** `temperature` and `top_p` together are refused. */
  temperatureExcludesTopP?: boolean;
  /** `temperature` and `top_p` are refused, unless they are 1 and so change nothing. */
  fixedSampling?: boolean;
}

const LIMITS: readonly { model: RegExp; limits: ModelLimits }[] = [
  // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
  { model: /^anthropic\./, limits: { maxTemperature: 1 } },
  // https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html
  { model: /^amazon\.nova-/, limits: { maxTemperature: 1 } },
  // https://docs.anthropic.com/en/docs/about-claude/models/overview
  { model: /^anthropic\.claude-3-(?:haiku|sonnet|opus)/, limits: { maxTokens: 4096 } },
  { model: /^anthropic\.claude-haiku-4-5/, limits: { maxTokens: 64_000, temperatureExcludesTopP: true } },
  { model: /^anthropic\.claude-opus-5/, limits: { maxTokens: 128_000, fixedSampling: true } },
  { model: /^amazon\.nova-(?:micro|lite|pro|premier)-v1/, limits: { maxTokens: 10_000 } },
  { model: /^amazon\.nova-2-lite/, limits: { maxTokens: 65_535 } },
  { model: /^meta\.llama4-/, limits: { maxTokens: 8_192 } },
  { model: /^qwen\.qwen3-32b/, limits: { maxTokens: 32_768 } },
  { model: /^openai\.gpt-oss-/, limits: { maxTokens: 128_000 } },
];

/** What is known of a model; nothing for most. */
export function modelLimitsOf(baseModelId: string | undefined): ModelLimits {
  if (baseModelId === undefined) return {};
  const known = LIMITS.filter(({ model }) => model.test(baseModelId)).map(({ limits }) => limits);
  return Object.assign({}, ...known) as ModelLimits;
}
