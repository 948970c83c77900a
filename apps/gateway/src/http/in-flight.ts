import { McpError, mcpErrorCodes } from '@behalf/mcp';

/** Bounds how much is worked on at once: past it, callers are told to come back instead of being queued. */
export class InFlight {
  #count = 0;

  constructor(private readonly most: number) {}

  /**
   * Takes a place until the returned function is called.
   *
   * @throws McpError 503
   */
  enter(): () => void {
    if (this.#count >= this.most)
      throw new McpError(mcpErrorCodes.internalError, 'Too much is going on; try again', {
        status: 503,
        retryAfterSeconds: 1,
      });
    this.#count += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#count -= 1;
    };
  }
}
