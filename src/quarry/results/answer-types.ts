/**
 * What answers are to be: a schema of a library that can tell its JSON Schema (zod 4, ArkType, …), a JSON Schema of an object, or
 * the short form of one.
 */
export type OutputSchema = StandardSchema | { readonly [key: string]: unknown };

/** A schema of any library. https://standardschema.dev */
export interface StandardSchema {
  readonly '~standard': {
    readonly vendor: string;
    readonly types?: { readonly input: unknown; readonly output: unknown } | undefined;
  };
}

/**
 * The columns that a schema adds to the results, each null where the row has no answer; all others are of unknown types. Of a
 * JSON Schema as much is inferred as its `type`, `enum`, `const`, `properties`, `required` and `items` say.
 */
export type AnswerColumns<Schema, Prefix extends string = ''> = [Schema] extends [undefined]
  ? Record<string, unknown>
  : Prefixed<Answer<Schema>, Prefix> & Record<string, unknown>;

type Prefixed<Properties, Prefix extends string> = {
  [Key in keyof Properties & string as `${Prefix}${Key}`]-?: Exclude<Properties[Key], undefined> | null;
};

type Answer<Schema> = Schema extends StandardSchema
  ? NonNullable<Schema['~standard']['types']>['input']
  : Schema extends { readonly type: 'object'; readonly properties: object }
    ? OfJsonSchema<Schema>
    : OfShortForm<Schema>;

type OfJsonSchema<Schema> = Schema extends { readonly const: infer Value }
  ? Value
  : Schema extends { readonly enum: readonly (infer Value)[] }
    ? Value
    : Schema extends { readonly type: infer Type }
      ? OfType<Type, Schema>
      : unknown;

type OfType<Type, Schema> = Type extends readonly (infer Each)[]
  ? OfType<Each, Schema>
  : Type extends 'string'
    ? string
    : Type extends 'number' | 'integer'
      ? number
      : Type extends 'boolean'
        ? boolean
        : Type extends 'null'
          ? null
          : Type extends 'array'
            ? Items<Schema>
            : Type extends 'object'
              ? Properties<Schema>
              : unknown;

type Items<Schema> = Schema extends { readonly items: infer Item } ? OfJsonSchema<Item>[] : unknown[];

type Properties<Schema> = Schema extends { readonly properties: infer Named }
  ? { [Key in keyof Named]: OfJsonSchema<Named[Key]> | (Key extends RequiredKeys<Schema> ? never : null) }
  : Record<string, unknown>;

type RequiredKeys<Schema> = Schema extends { readonly required: readonly (infer Key)[] } ? Key : never;

type OfShortForm<Schema> = Schema extends string
  ? OfShortText<Trimmed<Schema>>
  : { [Key in keyof Schema]: OfShortForm<Schema[Key]> };

type OfShortText<Text extends string> = string extends Text
  ? unknown
  : Text extends `${infer Some}?`
    ? OfShortText<Trimmed<Some>> | null
    : Text extends `${infer Word}|${infer Words}`
      ? Trimmed<Word> | Choice<Words>
      : Text extends `${infer Item}[]`
        ? OfShortText<Trimmed<Item>>[]
        : Text extends 'boolean'
          ? boolean
          : Text extends 'string'
            ? string
            : Text extends `${'number' | 'integer'}${string}`
              ? number
              : unknown;

type Choice<Text extends string> = Text extends `${infer Word}|${infer Words}`
  ? Trimmed<Word> | Choice<Words>
  : Trimmed<Text>;

type Trimmed<Text extends string> = Text extends ` ${infer Rest}`
  ? Trimmed<Rest>
  : Text extends `${infer Rest} `
    ? Trimmed<Rest>
    : Text;
