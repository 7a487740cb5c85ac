import type { ModelFacts, NativeBody } from './model-facts.ts';
import { LISTED, notListed } from './row-parts.ts';

const TEXT = { body: 'chat-completions', output: 'text' } as const;
const PROMPT = { body: 'mistral-prompt', output: 'text' } as const;
const EMBEDDING = { body: 'none', output: 'embedding' } as const;
const OTHER = { body: 'none', output: 'other' } as const;

const TITAN = 'amazon.titan-embed-text-v2:0';
const NOVA_EMBEDDINGS = 'amazon.nova-2-multimodal-embeddings-v1:0';

type Kind = { body: NativeBody; output: ModelFacts['output'] };

/** Models of other providers that Bedrock has, and batch inference has not. */
const ABSENT: readonly (readonly [id: string, name: string, kind: Kind, instead?: string])[] = [
  ['amazon.nova-canvas*', 'Nova Canvas', OTHER],
  ['amazon.nova-reel*', 'Nova Reel', OTHER],
  ['amazon.nova-sonic*', 'Nova Sonic', OTHER],
  ['amazon.nova-2-sonic*', 'Nova 2 Sonic', OTHER],
  ['amazon.rerank*', 'Amazon Rerank', OTHER],
  ['amazon.titan-embed-text-v1*', 'Titan Embeddings G1', EMBEDDING, TITAN],
  ['amazon.titan-embed-g1*', 'Titan Embeddings G1', EMBEDDING, TITAN],
  ['amazon.titan-image*', 'Titan Image Generator', OTHER],
  ['cohere.embed-english-v3*', 'Cohere Embed English v3', EMBEDDING, TITAN],
  ['cohere.embed-multilingual-v3*', 'Cohere Embed Multilingual v3', EMBEDDING, TITAN],
  ['cohere.embed-v4*', 'Cohere Embed v4', EMBEDDING, NOVA_EMBEDDINGS],
  ['cohere.rerank*', 'Cohere Rerank', OTHER],
  ['deepseek.r1*', 'DeepSeek R1', TEXT, 'deepseek.v3.2'],
  ['google.gemma-4*', 'Gemma 4', TEXT, 'google.gemma-3-27b-it'],
  ['luma.*', 'Luma', OTHER],
  ['minimax.minimax-m2.5*', 'MiniMax M2.5', TEXT, 'minimax.minimax-m2.1'],
  ['mistral.mistral-7b*', 'Mistral 7B', PROMPT, 'mistral.ministral-3-8b-instruct'],
  ['mistral.mixtral*', 'Mixtral', PROMPT, 'mistral.ministral-3-14b-instruct'],
  ['mistral.mistral-large-2402*', 'Mistral Large (24.02)', TEXT, 'mistral.mistral-large-3-675b-instruct'],
  ['mistral.pixtral*', 'Pixtral', TEXT, 'mistral.mistral-large-3-675b-instruct'],
  ['moonshotai.kimi-k3*', 'Kimi K3', TEXT, 'moonshotai.kimi-k2.5'],
  ['nvidia.nemotron-super-3-120b*', 'Nemotron 3 Super 120B', TEXT, 'nvidia.nemotron-nano-3-30b'],
  ['openai.gpt-5*', 'GPT-5', TEXT, 'openai.gpt-oss-120b-1:0'],
  ['stability.*', 'Stability AI', OTHER],
  ['twelvelabs.marengo*', 'TwelveLabs Marengo', EMBEDDING, NOVA_EMBEDDINGS],
  ['twelvelabs.pegasus*', 'TwelveLabs Pegasus', OTHER],
  ['writer.palmyra*', 'Writer Palmyra', TEXT, 'openai.gpt-oss-120b-1:0'],
  ['xai.grok*', 'Grok', TEXT, 'openai.gpt-oss-120b-1:0'],
  ['zai.glm-5*', 'GLM 5', TEXT, 'zai.glm-4.7'],
];

/** The same as rows; quotas of GLM 5, MiniMax M2.5 and Nemotron 3 Super exist already, so they may be coming. */
export const ABSENT_MODELS: readonly ModelFacts[] = ABSENT.map(([id, name, kind, instead]) => ({
  ...rest(kind),
  id,
  name,
  batch: notListed(instead),
}));

/** Providers of which any other id is taken for a text model; whether it has batch inference is not known. */
const TEXT_PROVIDERS = [
  'ai21',
  'cohere',
  'deepseek',
  'google',
  'minimax',
  'mistral',
  'moonshot',
  'moonshotai',
  'nvidia',
  'openai',
  'qwen',
  'writer',
  'xai',
  'zai',
];

/** What is known of an id that only starts like known ones. */
export const UNKNOWN_MODELS: readonly ModelFacts[] = [
  {
    ...rest({ body: 'nova-messages', output: 'text' }),
    id: 'amazon.nova-*',
    name: 'another Nova',
    batch: { kind: 'unknown' },
    refuses: { temperatureOver: 1 },
  },
  ...TEXT_PROVIDERS.map(
    (provider): ModelFacts => ({
      ...rest(TEXT),
      id: `${provider}.*`,
      name: `another model of ${provider}`,
      batch: { kind: 'unknown' },
    }),
  ),
];

function rest(kind: Kind): Omit<ModelFacts, 'id' | 'name' | 'batch'> {
  return { ...kind, ...LISTED, reads: [], structuredOutput: false, thinking: 'none', refuses: {} };
}
