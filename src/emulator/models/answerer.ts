import type { JsonObject } from '../../core/text/json-value.ts';
import { digestOf } from '../faults/seeded-random.ts';
import { refuseOverContext } from './context-window.ts';
import { converseBodies } from './converse-bodies.ts';
import type { EmulatedModel } from './model-catalog.ts';
import { type EmulatedAnswer, type EmulatedRequest, type Refusal, refuse } from './model-family.ts';
import type { ModelServer } from './model-server.ts';
import type { ModelServers } from './model-servers.ts';
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
  /** Who answers; undefined for the simulated model. */
  server: ModelServer | undefined;
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
  /** At once with the simulated model; the same question always gets the same answer from it. */
  answer(question: Question): WrittenAnswer | Refusal | Promise<WrittenAnswer | Refusal>;
  /** Input tokens of a body, as the simulated model counts them. */
  countInput(question: Question): number | Refusal;
}

/** An answerer that knows these servers. */
export function createAnswerer(servers: ModelServers): Answerer {
  return {
    countInput: (question) => {
      const request = readQuestion(question);
      return request.kind === 'refusal' ? request : simulate(request, question.model).inputTokens;
    },
    answer: (question) => {
      const request = readQuestion(question);
      if (request.kind === 'refusal') return request;
      const { server, model } = question;
      if (server === undefined) return writeAnswer(simulate(request, model), request, question);
      return servers
        .clientOf(server)
        .answer(request, model)
        .then((answer) => (answer.kind === 'refusal' ? answer : writeAnswer(answer, request, question)));
    },
  };
}

function readQuestion(question: Question): EmulatedRequest | Refusal {
  const { model, body, inBatch } = question;
  if (question.invocationType === 'Converse' && model.produces === 'embedding') {
    return refuse(
      "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
    );
  }
  const request = familyOf(question).readRequest(body, model, inBatch);
  if (request.kind === 'refusal') return request;
  return refuseOverContext(request, question) ?? request;
}

function writeAnswer(answer: EmulatedAnswer, request: EmulatedRequest, question: Question): WrittenAnswer {
  const { model, bodyText, atMs, inBatch } = question;
  return {
    kind: 'answer',
    modelOutput: familyOf(question).writeAnswer(answer, {
      model,
      request,
      digest: () => digestOf(bodyText, 24),
      atMs,
      inBatch,
    }),
    inputTokens: answer.inputTokens,
    outputTokens: answer.kind === 'text' ? answer.outputTokens : 0,
  };
}

function familyOf({ invocationType, model }: Question) {
  return invocationType === 'Converse' ? converseBodies : model.family;
}
