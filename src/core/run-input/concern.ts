import type { z } from 'zod';

/** What a run input says about one thing: its keys, and the rules between them. The document is all concerns together. */
export interface Concern {
  /** Its heading in the reference page and in `--help`. */
  readonly title: string;
  /** One sentence below the heading. */
  readonly about: string;
  /** Every key, in the order of the reference page. A default is a sentence of its own in the description: "Default …." */
  readonly fields: Readonly<Record<string, z.ZodType>>;
  /** Refuses values that do not go together. Each of them may still be faulty by itself. */
  check?(given: object, refuse: Refuse): void;
}

/** Adds a fault of a key to the message that refuses the document. */
export type Refuse = (key: string, message: string) => void;

/** Values of a concern's keys; those that were not given are absent. */
export type GivenFields<Fields extends Concern['fields']> = { [K in keyof Fields]?: z.infer<Fields[K]> };

/** What a key means, and the default that its description names; empty where it names none. */
export function describeField(description: string): { meaning: string; defaultText: string } {
  const sentence = /(?:^| )Default:? (.+?)\.(?= |$)/.exec(description);
  if (sentence?.[1] === undefined) return { meaning: description, defaultText: '' };
  return { meaning: description.replace(sentence[0], '').trim(), defaultText: sentence[1] };
}
