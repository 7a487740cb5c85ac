/** US dollars for a million tokens. */
export interface TokenPrice {
  input: number;
  output: number;
}

/** What batch inference of a model costs; on demand it is twice that. */
export interface BatchPrice {
  /** Through `global.`, and wherever `regional` is absent. */
  batch: TokenPrice;
  /** With a plain id or a profile of one geography, where that costs more. */
  regional?: TokenPrice;
  /** Where it was read; a conflict of sources is told here. */
  source: string;
  date: string;
}

/** The body that InvokeModel takes of a model, by the service's own name of it; `none` where Quarry knows none. */
export type NativeBody =
  | 'claude-messages'
  | 'nova-messages'
  | 'llama-prompt'
  | 'mistral-prompt'
  | 'chat-completions'
  | 'titan-text-embeddings'
  | 'titan-multimodal-embeddings'
  | 'nova-embeddings'
  | 'none';

/** Whether CreateModelInvocationJob takes a model, and where. */
export type BatchSupport =
  | {
      kind: 'yes';
      /** Regions that take the plain id. */
      plainIn: readonly string[];
      /** Regions that take an inference profile of the model. */
      profileIn: readonly string[];
      /** Geographies of its profiles, without the dot. */
      profiles: readonly string[];
    }
  | {
      kind: 'no';
      /** Why, as the end of a sentence that begins with the model's name. */
      reason: string;
      /** Row of the nearest model that has batch. */
      instead?: string;
    }
  /** Of ids that only start like known ones. */
  | { kind: 'unknown' };

/** How a model is told to think, or not to. */
export type Thinking =
  | 'none'
  /** `thinking: {type: "enabled", budget_tokens}`; off unless asked for. */
  | 'budget'
  /** `thinking: {type: "adaptive"}` with an effort; off unless asked for. */
  | 'adaptive'
  /** The same, and on unless `disabled` is said. */
  | 'adaptive-by-default'
  /** Nova's `reasoningConfig`; off unless asked for. */
  | 'reasoning-config'
  /** `reasoning_effort`; it cannot be turned off. */
  | 'reasoning-effort'
  /** It always thinks, and nothing changes that. */
  | 'always';

/** What a model answers with an error, for every record alike. */
export interface Refusals {
  /** A temperature over this. */
  temperatureOver?: number;
  /** `temperature` and `top_p` together. */
  temperatureWithTopP?: true;
  /** Any `temperature`, `top_p` or `top_k`, unless it changes nothing. */
  sampling?: true;
  /** Any stop sequence. */
  stopSequences?: true;
  /** A stop sequence of white space alone. */
  blankStopSequences?: true;
}

/** What is known of one model. AWS changes all of it: every row tells its source and its day. */
export interface ModelFacts {
  /**
   * `provider.model` as Bedrock spells it. One that ends in `*` stands for every id that starts so and has no row of
   * its own.
   */
  id: string;
  /** For people. */
  name: string;
  body: NativeBody;
  output: 'text' | 'embedding' | 'other';
  /** What it reads beside text. */
  reads: readonly ('image' | 'document' | 'audio' | 'video')[];
  batch: BatchSupport;
  /** Most tokens that a body may ask for. */
  maxTokens?: number;
  /** Most tokens of a prompt and its answer together. */
  contextTokens?: number;
  price?: BatchPrice;
  /** It can be held to a JSON Schema by a field of its body. */
  structuredOutput: boolean;
  thinking: Thinking;
  refuses: Refusals;
  /** Most bytes of a job's input, where that is not 5 GB. */
  maxJobBytes?: number;
  /** What a reader of the row should know. */
  note?: string;
  source: string;
  date: string;
}
