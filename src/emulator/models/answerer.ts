import { digestOf } from '../faults/seeded-random.ts';
import { refuseOverContext } from './context-window.ts';
import { converseBodies } from './converse-bodies.ts';
import type { EmulatedModel } from './model-catalog.ts';
import type { ModelEndpoint } from './model-endpoint.ts';
import { type EmulatedAnswer, type JsonObject, type Refusal, refuse } from './model-family.ts';
import { simulate } from './simulated-model.ts';

/** A body to be answered. */
export interface Question {
  model: EmulatedModel;
  invocationType: 'InvokeModel' | 'Converse';
  body: JsonObject;
  /** The body as it was written; its digest makes the ids in the answer. */
  bodyText: string;
  atMs: number;
  inBatch: boolean;
}

/** An answer in the form that the question's body asks for. */
export interface WrittenAnswer {
  kind: 'answer';
  modelOutput: JsonObject;
  inputTokens: number;
  outputTokens: number;
}

/** Answers bodies with the simulated model, or through somebody's model server. */
export interface Answerer {
  isSimulated: boolean;
  /** At once with the simulated model; the same question always gets the same answer from it. */
  answer(question: Question): WrittenAnswer | Refusal | Promise<WrittenAnswer | Refusal>;
}

/** An answerer; without an endpoint it is the simulated model. */
export function createAnswerer(endpoint: ModelEndpoint | undefined): Answerer {
  return {
    isSimulated: endpoint === undefined,
    answer: (question) => {
      const { model, body, inBatch } = question;
      const family = question.invocationType === 'Converse' ? converseBodies : model.family;
      if (family === converseBodies && model.produces === 'embedding') {
        return refuse(
          "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
        );
      }
      const request = family.readRequest(body, model, inBatch);
      if (request.kind === 'refusal') return request;
      const tooLong = refuseOverContext(request, question);
      if (tooLong !== undefined) return tooLong;
      const write = (answer: EmulatedAnswer): WrittenAnswer => ({
        kind: 'answer',
        modelOutput: family.writeAnswer(answer, {
          model,
          request,
          digest: () => digestOf(question.bodyText, 24),
          atMs: question.atMs,
          inBatch,
        }),
        inputTokens: answer.inputTokens,
        outputTokens: answer.kind === 'text' ? answer.outputTokens : 0,
      });
      if (endpoint === undefined) return write(simulate(request, model));
      return endpoint
        .answer(request, model)
        .then((answer) => (answer.kind === 'refusal' ? answer : write(answer)));
    },
  };
}
