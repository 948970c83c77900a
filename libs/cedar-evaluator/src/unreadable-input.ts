/**
 * A request, its entities or its context have no Cedar meaning: nothing can be decided. The message names the fault
 * and never quotes a value.
 */
export class UnreadableInput extends Error {
  override readonly name = 'UnreadableInput';
}
