/** JSON-RPC codes of the draft: a mapping that fails, a denial, a decision point that cannot be asked. */
export const coazErrorCodes = { mapping: -32602, denied: -32001, unavailable: -32603 } as const;

/** Why a request must not proceed. The message names no value of a token or an argument. */
export class CoazError extends Error {
  override readonly name = 'CoazError';
  readonly code: number;
  constructor(
    readonly kind: keyof typeof coazErrorCodes,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`COAZ ${kind} error: ${problem}`, options);
    this.code = coazErrorCodes[kind];
  }
}
