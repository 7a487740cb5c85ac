/**
 * What single models refuse for every record, so that a job of nothing but errors is refused before it is paid.
 * Ceilings and conflicts as observed on the service in 2026.
 */
export interface ModelLimits {
  maxTokens?: number;
  /** `temperature` and `top_p` together are refused. */
  temperatureExcludesTopP?: boolean;
}

const LIMITS: readonly { model: RegExp; limits: ModelLimits }[] = [
  { model: /^anthropic\.claude-haiku-4-5/, limits: { maxTokens: 64_000, temperatureExcludesTopP: true } },
  { model: /^anthropic\.claude-opus-5/, limits: { maxTokens: 128_000 } },
  { model: /^amazon\.nova-micro-v1/, limits: { maxTokens: 10_000 } },
  { model: /^amazon\.nova-2-lite/, limits: { maxTokens: 65_535 } },
  { model: /^meta\.llama4-/, limits: { maxTokens: 8_192 } },
  { model: /^qwen\.qwen3-32b/, limits: { maxTokens: 32_768 } },
  { model: /^openai\.gpt-oss-/, limits: { maxTokens: 128_000 } },
];

/** What is known of a model; nothing for most. */
export function modelLimitsOf(baseModelId: string | undefined): ModelLimits {
  return LIMITS.find(({ model }) => baseModelId !== undefined && model.test(baseModelId))?.limits ?? {};
}
