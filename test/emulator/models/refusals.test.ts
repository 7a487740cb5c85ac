import { describe, expect, test } from 'vitest';
import { converseBodies } from '../../../src/emulator/models/converse-bodies.ts';
import { findEmulatedModel } from '../../../src/emulator/models/model-catalog.ts';
import type { InferenceParameters } from '../../../src/models/adapters/model-adapter.ts';
import { idsOf, MODEL_CATALOG } from '../../../src/models/catalog/model-catalog.ts';
import type { ModelFacts } from '../../../src/models/catalog/model-facts.ts';
import { resolveModel } from '../../../src/models/resolve-model.ts';

const ACCOUNT = { accountId: '123456789012', region: 'us-east-1', applicationProfiles: {} };

/** What may be refused of a model, and what the service says then. */
const PROBES: readonly {
  name: string;
  parametersOf: (facts: ModelFacts) => InferenceParameters | undefined;
  isRefused: (facts: ModelFacts) => boolean;
  says: RegExp;
}[] = [
  {
    name: 'max_tokens over the most',
    parametersOf: ({ maxTokens }) => (maxTokens === undefined ? undefined : { max_tokens: maxTokens + 1 }),
    isRefused: () => true,
    says: /is the maximum allowed number of output tokens|exceeds the model limit|is not less or equal to/,
  },
  {
    name: 'a temperature over 1',
    parametersOf: () => ({ temperature: 1.5 }),
    // Of the native bodies, gpt-oss's alone takes more.
    isRefused: ({ id, refuses }) => refuses.temperatureOver !== undefined || !id.startsWith('openai.gpt-oss'),
    says: /range: 0\.\.1|is not less or equal to 1/,
  },
  {
    name: 'temperature and top_p together',
    parametersOf: () => ({ temperature: 1, top_p: 1 }),
    isRefused: ({ refuses }) => refuses.temperatureWithTopP === true,
    says: /^`temperature` and `top_p` cannot both be specified for this model/,
  },
  {
    name: 'another temperature',
    parametersOf: () => ({ temperature: 0.5 }),
    isRefused: ({ refuses }) => refuses.sampling === true,
    says: /^`temperature` is deprecated for this model\./,
  },
  {
    name: 'another top_p',
    parametersOf: () => ({ top_p: 0.5 }),
    isRefused: ({ refuses }) => refuses.sampling === true,
    says: /^`top_p` is deprecated for this model\./,
  },
  {
    name: 'top_k',
    parametersOf: () => ({ top_k: 5 }),
    isRefused: ({ refuses }) => refuses.sampling === true,
    says: /^`top_k` is deprecated for this model\./,
  },
  {
    name: 'a stop sequence',
    parametersOf: () => ({ stop_sequences: ['END'] }),
    isRefused: ({ refuses }) => refuses.stopSequences === true,
    says: /^This model doesn't support the stop(?:Sequences)? field\./,
  },
  {
    name: 'a stop sequence of white space',
    parametersOf: () => ({ stop_sequences: [' '] }),
    isRefused: ({ refuses }) => refuses.stopSequences === true || refuses.blankStopSequences === true,
    says: /^stop_sequences: each stop sequence must contain non-whitespace|doesn't support the stop/,
  },
];

const textModels = MODEL_CATALOG.filter(({ output, batch }) => output === 'text' && batch.kind === 'yes');

/** What a plan says of a model with these parameters; undefined where it lets it pass, null where no body of the family can say it. */
function planned(modelId: string, parameters: InferenceParameters): string | null | undefined {
  try {
    resolveModel(modelId, { systemPrompt: undefined, parameters, thinking: 'off' });
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    return message.includes('does not take') ? null : message;
  }
}

/** What the emulator says to the record that is sent with force; undefined where it takes it. */
function answered(modelId: string, parameters: InferenceParameters): string | undefined {
  const { adapter, request } = resolveModel(modelId, {
    ...{ systemPrompt: undefined, parameters, thinking: 'off', force: true },
  });
  const model = findEmulatedModel(modelId, ACCOUNT);
  const family = adapter.invocationType === 'Converse' ? converseBodies : model.family;
  const read = family.readRequest(adapter.toModelInput('Is it so?', request), model, true);
  return read.kind === 'refusal' ? read.errorMessage : undefined;
}

describe.each(textModels.map((facts) => [idsOf(facts)[0] ?? facts.id, facts] as const))(
  '%s',
  (modelId, facts) => {
    test('refuses what the table says that it refuses, in the service’s words, and the plan does before it', () => {
      for (const { name, parametersOf, isRefused, says } of PROBES) {
        const parameters = parametersOf(facts);
        const plan = parameters && planned(modelId, parameters);
        if (parameters === undefined || plan === null) continue;
        const answer = answered(modelId, parameters);
        const found = { name, plan: plan !== undefined, emulator: answer !== undefined };
        expect(found).toEqual({ name, plan: isRefused(facts), emulator: isRefused(facts) });
        if (answer === undefined) continue;
        expect(answer.replace('The model returned the following errors: ', ''), name).toMatch(says);
        expect(plan, name).toContain(modelId);
      }
    });
  },
);

test('each kind of refusal that a row may have is probed', () => {
  const kinds = new Set(MODEL_CATALOG.flatMap(({ refuses }) => Object.keys(refuses)));
  const none = { ...textModels[0], id: 'x.y', refuses: {} } as ModelFacts;
  for (const kind of kinds) {
    const facts = { ...none, refuses: { [kind]: kind === 'temperatureOver' ? 1 : true } };
    expect(
      PROBES.some(({ isRefused }) => isRefused(facts) && (!isRefused(none) || kind === 'temperatureOver')),
      kind,
    ).toBe(true);
  }
});
