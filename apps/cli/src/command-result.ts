export interface CommandResult {
  output: string;
  /** A test failed, a bundle has faults: what the command was asked to find out. */
  failed: boolean;
}

export interface CommandOutcome {
  /** For programs. */
  data: unknown;
  /** For people. */
  text: string;
  failed: boolean;
}
