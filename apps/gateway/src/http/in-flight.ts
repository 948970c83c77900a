import { McpError, mcpErrorCodes } from '@behalf/mcp';

/** One person may hold a quarter of the places: who opens streams without end must leave some for everybody else. */
const personsShare = 4;

/** Bounds how much is worked on at once: past it, callers are told to come back instead of being queued. */
export class InFlight {
  #count = 0;
  readonly #ofPerson = new Map<string, number>();
  readonly #mostOfPerson: number;

  constructor(private readonly most: number) {
    this.#mostOfPerson = Math.ceil(most / personsShare);
  }

  /**
   * Takes a place until the returned function is called.
   *
   * @throws McpError 503
   */
  enter(): () => void {
    if (this.#count >= this.most) throw busy();
    this.#count += 1;
    return once(() => {
      this.#count -= 1;
    });
  }

  /**
   * Counts a place for a person, now that it is known who it is for, until the returned function is called.
   *
   * @throws McpError 503 when this person has had their share
   */
  enterAs(person: string): () => void {
    const held = this.#ofPerson.get(person) ?? 0;
    if (held >= this.#mostOfPerson) throw busy();
    this.#ofPerson.set(person, held + 1);
    return once(() => {
      const left = (this.#ofPerson.get(person) ?? 1) - 1;
      if (left === 0) this.#ofPerson.delete(person);
      else this.#ofPerson.set(person, left);
    });
  }
}

function once(leave: () => void): () => void {
  let left = false;
  return () => {
    if (!left) leave();
    left = true;
  };
}

function busy(): McpError {
  return new McpError(mcpErrorCodes.internalError, 'Too much is going on; try again', {
    status: 503,
    retryAfterSeconds: 1,
  });
}
