declare module 'asl-validator' {
  /** Checks a state machine definition against the language's schema and rules. */
  export default function validate(definition: unknown): { isValid: boolean; errors: unknown[] };
}
