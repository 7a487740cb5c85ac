import type { ModelFacts } from './model-facts.ts';
import { batchPrice, byPlainId, LISTED, SEVEN_REGIONS, TEN_REGIONS, THIRTEEN_REGIONS } from './row-parts.ts';

/** Regions of the larger models that came later. */
const LATER_REGIONS = `${SEVEN_REGIONS} ap-southeast-3 eu-north-1 eu-west-2`;
const BIG_REGIONS =
  'ap-northeast-1 ap-south-1 ap-southeast-2 ap-southeast-3 eu-north-1 eu-west-2 us-east-2 us-west-2';

/** "This model doesn't support the stopSequences field": https://github.com/langgenius/dify-official-plugins/issues/1767 */
const NO_STOP = { stopSequences: true } as const;

type Row = Pick<ModelFacts, 'id' | 'name'> & { in: string } & Partial<ModelFacts>;

/** Models of open weights, all by their plain id and with the body of a chat completion. */
export const OPEN_MODELS: readonly ModelFacts[] = [
  row({
    id: 'deepseek.v3-v1:0',
    name: 'DeepSeek V3.1',
    in: BIG_REGIONS,
    // https://github.com/langchain-ai/langchain-aws/issues/664
    refuses: NO_STOP,
  }),
  row({ id: 'deepseek.v3.2', name: 'DeepSeek V3.2', in: LATER_REGIONS, price: batchPrice(0.31, 0.925) }),
  row({
    id: 'google.gemma-3-4b-it',
    name: 'Gemma 3 4B',
    in: TEN_REGIONS,
    reads: ['image'],
    structuredOutput: false,
  }),
  row({
    id: 'google.gemma-3-12b-it',
    name: 'Gemma 3 12B',
    in: TEN_REGIONS,
    reads: ['image'],
    price: batchPrice(0.05, 0.15),
    note: 'Price: models.dev has 0.05 and 0.10 as on demand, so this may be twice what a job costs.',
  }),
  row({
    id: 'google.gemma-3-27b-it',
    name: 'Gemma 3 27B',
    in: TEN_REGIONS,
    reads: ['image'],
    price: batchPrice(0.12, 0.19),
    note: 'Price: models.dev has 0.12 and 0.20 as on demand, so this may be twice what a job costs.',
  }),
  row({ id: 'minimax.minimax-m2', name: 'MiniMax M2', in: TEN_REGIONS, structuredOutput: false }),
  row({ id: 'minimax.minimax-m2.1', name: 'MiniMax M2.1', in: THIRTEEN_REGIONS, structuredOutput: false }),
  row({
    id: 'moonshot.kimi-k2-thinking',
    name: 'Kimi K2 Thinking',
    in: SEVEN_REGIONS,
    price: batchPrice(0.3, 1.25),
    thinking: 'always',
  }),
  row({
    id: 'moonshotai.kimi-k2.5',
    name: 'Kimi K2.5',
    in: LATER_REGIONS,
    reads: ['image'],
    price: batchPrice(0.3, 1.5),
    note: 'Its provider is moonshotai, that of Kimi K2 Thinking moonshot.',
  }),
  row({ id: 'nvidia.nemotron-nano-9b-v2', name: 'Nemotron Nano 9B v2', in: TEN_REGIONS }),
  row({
    id: 'nvidia.nemotron-nano-12b-v2',
    name: 'Nemotron Nano 12B v2 VL',
    in: TEN_REGIONS,
    reads: ['image'],
  }),
  row({ id: 'nvidia.nemotron-nano-3-30b', name: 'Nemotron Nano 3 30B', in: TEN_REGIONS }),
  gptOss('openai.gpt-oss-20b-1:0', 'gpt-oss-20b', {
    in: `${THIRTEEN_REGIONS} us-gov-west-1`,
    price: batchPrice(0.035, 0.15),
  }),
  gptOss('openai.gpt-oss-120b-1:0', 'gpt-oss-120b', {
    in: `${THIRTEEN_REGIONS} us-gov-west-1`,
    price: batchPrice(0.075, 0.3),
  }),
  gptOss('openai.gpt-oss-safeguard-20b', 'gpt-oss-safeguard-20b', { in: TEN_REGIONS }),
  gptOss('openai.gpt-oss-safeguard-120b', 'gpt-oss-safeguard-120b', { in: TEN_REGIONS }),
  qwen('qwen.qwen3-32b-v1:0', 'Qwen3 32B', {
    in: THIRTEEN_REGIONS,
    maxTokens: 32_768,
    price: batchPrice(0.075, 0.3),
  }),
  qwen('qwen.qwen3-235b-a22b-2507-v1:0', 'Qwen3 235B A22B 2507', {
    in: `${BIG_REGIONS} eu-central-1 eu-south-1`,
    price: batchPrice(0.11, 0.44),
  }),
  qwen('qwen.qwen3-coder-30b-a3b-v1:0', 'Qwen3 Coder 30B A3B', { in: THIRTEEN_REGIONS }),
  qwen('qwen.qwen3-coder-480b-a35b-v1:0', 'Qwen3 Coder 480B A35B', { in: BIG_REGIONS }),
  qwen('qwen.qwen3-coder-next', 'Qwen3 Coder Next', { in: 'ap-southeast-2 eu-west-2 us-east-1' }),
  qwen('qwen.qwen3-next-80b-a3b', 'Qwen3 Next 80B A3B', {
    in: TEN_REGIONS,
    price: batchPrice(0.07, 0.6),
    note: 'Price: models.dev has 0.14 and 1.40 as on demand, so an answer may cost 0.70.',
  }),
  qwen('qwen.qwen3-vl-235b-a22b', 'Qwen3 VL 235B A22B', { in: TEN_REGIONS, reads: ['image'] }),
  row({ id: 'zai.glm-4.7', name: 'GLM 4.7', in: LATER_REGIONS, price: batchPrice(0.3, 1.1) }),
  row({
    id: 'zai.glm-4.7-flash',
    name: 'GLM 4.7 Flash',
    in: THIRTEEN_REGIONS,
    price: batchPrice(0.035, 0.2),
  }),
];

/** A row, with what nearly all of them have; structured output as models.dev had it on 2026-07-02. */
function row({ in: names, ...facts }: Row): ModelFacts {
  return {
    body: 'chat-completions',
    output: 'text',
    reads: [],
    batch: byPlainId(names),
    structuredOutput: true,
    thinking: 'none',
    refuses: {},
    ...LISTED,
    ...facts,
  };
}

function gptOss(id: string, name: string, facts: Omit<Row, 'id' | 'name'>): ModelFacts {
  return row({
    id,
    name,
    maxTokens: 128_000,
    contextTokens: 131_072,
    thinking: 'reasoning-effort',
    // https://github.com/langchain4j/langchain4j/issues/3650
    refuses: NO_STOP,
    ...facts,
  });
}

function qwen(id: string, name: string, facts: Omit<Row, 'id' | 'name'>): ModelFacts {
  return row({ id, name, refuses: NO_STOP, ...facts });
}
