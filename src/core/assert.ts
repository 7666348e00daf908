/** Thrown when the program itself is wrong; the thread that meets it ends and its supervisor decides. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Holds a fact about the program, never about input: input gets an {@link OutcryError} or a status code. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
