import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AnswerSchema, JsonSchema } from '../../../src/core/run-input/output-schema.ts';
import { anthropicMessages } from '../../../src/models/adapters/anthropic-messages.ts';
import { findAdapter, MODEL_ADAPTERS } from '../../../src/models/adapters/find-adapter.ts';
import {
  type InferenceParameters,
  type ModelAdapter,
  outputOf,
} from '../../../src/models/adapters/model-adapter.ts';
import type { MediaBlock } from '../../../src/models/media.ts';
import { type RecordFrame, type RecordSegment, recordFrameOf } from '../../../src/models/record-frame.ts';
import { type ResolvedModel, resolveModel } from '../../../src/models/resolve-model.ts';
import { chooseSchemaForm } from '../../../src/models/schema-form.ts';
import type { ThinkingLevel } from '../../../src/models/thinking.ts';
import { renderPrompt } from '../../../src/prompts/prompt-template.ts';
import { readModelOutput } from '../../support/model-answer.ts';

interface FixtureRequest {
  model_id: string;
  prompt: string;
  system_prompt?: string;
  inference_parameters?: InferenceParameters;
  /** Absent where the run says nothing of thinking, as none could before. */
  thinking?: ThinkingLevel;
  /** Told in the model's own form. */
  output_schema?: AnswerSchema;
  /** Images and documents before the prompt. */
  media?: MediaBlock[];
}

const FIXTURES = join(import.meta.dirname, '../../fixtures/models');
const families = readdirSync(FIXTURES);
const cases = families.flatMap((family) =>
  readdirSync(join(FIXTURES, family)).map((name) => ({ family, name, path: join(FIXTURES, family, name) })),
);

function tellSegment(segment: RecordSegment, media: readonly MediaBlock[]): string | undefined {
  switch (segment.kind) {
    case 'text':
      return segment.text;
    case 'string':
      return JSON.stringify((renderPrompt(segment.pieces, {}) ?? '').slice(1));
    case 'media':
      return JSON.stringify(media[segment.index]?.[segment.value]);
  }
}

/** An image, and a second one and a document where the family takes them. */
function blocksFor({ media }: ModelAdapter): MediaBlock[] {
  const { image, document } = media ?? {};
  const first = { kind: 'image', format: 'png', mediaType: 'image/png', base64: 'iVBO' } as const;
  const second = { kind: 'image', format: 'jpeg', mediaType: 'image/jpeg', base64: '/9j/' } as const;
  const pdf = { kind: 'document', format: 'pdf', mediaType: 'application/pdf', base64: 'JVBE' } as const;
  return [
    image === undefined ? [] : [first],
    image === undefined || image.most === 1 ? [] : [second],
    document === undefined ? [] : [pdf],
  ].flat();
}

function sentIn(schema: AnswerSchema, model: ResolvedModel, modelId: string): JsonSchema | undefined {
  const choice = chooseSchemaForm(schema, { model, modelId, form: undefined });
  return choice.form === 'native' ? choice.sent : undefined;
}

function readFixture<T>(path: string, file: string): T {
  return JSON.parse(readFileSync(join(path, file), 'utf8')) as T;
}

describe.each(cases)('$family: $name', ({ path }) => {
  const given = readFixture<FixtureRequest>(path, 'request.json');
  const request = { systemPrompt: given.system_prompt, parameters: given.inference_parameters ?? {} };

  test('the model input is the one that the model documents', () => {
    const media = given.media?.map(({ kind }) => ({ kind, column: '' }));
    const model = resolveModel(given.model_id, { ...request, thinking: given.thinking, media });
    const schema = given.output_schema && sentIn(given.output_schema, model, given.model_id);
    const modelInput = model.adapter.toModelInput(given.prompt, {
      ...model.request,
      schema,
      media: given.media,
    });
    expect(modelInput).toStrictEqual(readFixture(path, 'model-input.json'));
  });

  test('the answer is read in the model output', () => {
    const { adapter } = resolveModel(given.model_id, { ...request, thinking: given.thinking });
    const output = outputOf(adapter, given.inference_parameters);
    expect(readModelOutput(output, readFixture(path, 'model-output.json'))).toStrictEqual(
      readFixture(path, 'answer.json'),
    );
  });
});

test('every model family has a fixture', () => {
  const covered = new Set(
    cases.map(({ path }) => findAdapter(readFixture<FixtureRequest>(path, 'request.json').model_id)),
  );
  expect(covered).toEqual(new Set(MODEL_ADAPTERS));
});

describe.each(MODEL_ADAPTERS)('$family', (adapter) => {
  test('its example is a model id of the family', () => {
    expect(findAdapter(adapter.example)).toBe(adapter);
  });

  test('an output of another shape has no answer', () => {
    const strange = [null, 'text', 7, [], {}, { content: null, output: { message: null }, embedding: ['a'] }];
    for (const modelOutput of [undefined, ...strange]) {
      expect(readModelOutput(adapter.output, modelOutput)).toBeUndefined();
    }
  });

  test('the frame around any prompt is the body, byte for byte', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^["#\\{}\n]*$/),
    );
    fc.assert(
      fc.property(
        text,
        fc.option(text, { nil: undefined }),
        fc.array(text, { maxLength: 3 }),
        (prompt, systemPrompt, stopSequences) => {
          const request = { systemPrompt, parameters: { stop_sequences: stopSequences } };
          const body = JSON.stringify(adapter.toModelInput(prompt, request));
          const pieces = (name: string, text: string) =>
            [{ kind: 'literal', text: `${name}${text}` }] as const;
          const told = (frame: RecordFrame, media: readonly MediaBlock[] = []) =>
            frame.segments.map((segment) => tellSegment(segment, media)).join('');
          expect(told(recordFrameOf(adapter, request, { prompt: pieces('p', prompt) }))).toBe(body);
          const media = blocksFor(adapter);
          const columns = media.map(({ kind }, index) => ({ kind, column: `c${index}` }));
          // An image alone is embedded.
          const isAlone = media.length > 0 && adapter.output.kind === 'embedding';
          const asked = isAlone ? undefined : pieces('p', prompt);
          const seen = recordFrameOf(adapter, request, { prompt: asked, media: columns });
          expect(told(seen, media)).toBe(
            JSON.stringify(
              adapter.toModelInput(isAlone ? '' : prompt, {
                ...request,
                ...(media.length > 0 ? { media } : {}),
              }),
            ),
          );
          if (!adapter.systemPrompt || systemPrompt === undefined) return;
          const both = { prompt: pieces('p', prompt), system: pieces('s', systemPrompt) };
          expect(told(recordFrameOf(adapter, request, both))).toBe(body);
          if (adapter.turn === undefined) return;
          const turns = [
            { role: 'user', text: systemPrompt },
            { role: 'assistant', text: prompt },
          ] as const;
          const shown = turns.map(({ role, text: of }, turn) => ({ role, pieces: pieces(String(turn), of) }));
          expect(told(recordFrameOf(adapter, request, { ...both, turns: shown }))).toBe(
            JSON.stringify(adapter.toModelInput(prompt, { ...request, turns })),
          );
        },
      ),
    );
  });
});

test('an answer without counts or stop reason says null for them', () => {
  expect(readModelOutput(anthropicMessages.output, { content: [] })).toEqual({
    text: '',
    embedding: null,
    stopReason: null,
    inputTokens: null,
    outputTokens: null,
  });
});

test('an adapter that leaves the prompt out, changes it or repeats it has no frame', () => {
  const request = { systemPrompt: undefined, parameters: {} };
  const frameOf = (toModelInput: (prompt: string) => Record<string, unknown>) => () =>
    recordFrameOf({ ...anthropicMessages, toModelInput }, request, { prompt: [] });
  expect(frameOf(() => ({}))).toThrow('must put the prompt into the body once, as it is');
  expect(frameOf((prompt) => ({ prompt: `Human: ${prompt}` }))).toThrow('once, as it is');
  expect(frameOf((prompt) => ({ prompt, again: prompt }))).toThrow('once, as it is');
});

test('the frame keeps the pieces of the prompt', () => {
  const pieces = [{ kind: 'column', column: 'topic' } as const];
  const frame = recordFrameOf(
    findAdapter('amazon.titan-embed-text-v2:0'),
    { systemPrompt: undefined, parameters: {} },
    { prompt: pieces },
  );
  expect(frame.segments).toEqual([
    { kind: 'text', text: '{"inputText":' },
    { kind: 'string', pieces },
    { kind: 'text', text: '}' },
  ]);
});
