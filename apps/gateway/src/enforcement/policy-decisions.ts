import {
  type Evaluation,
  type EvaluationDecision,
  evaluatePolicy,
  evaluatePolicyBatch,
} from '@behalf/contracts';
import {
  type Caller,
  type Json,
  type ListedItems,
  McpError,
  buildListEvaluation,
  listedItems,
  mcpErrorCodes,
  withAllowedItems,
} from '@behalf/mcp';
import type { Bus } from '@behalf/ports';

/** Asks the policy service. What it cannot decide, in time and in form, is refused and never allowed. */
export class PolicyDecisions {
  constructor(
    private readonly bus: Bus,
    private readonly timeoutMs: number,
  ) {}

  /** @throws McpError 503 when there is no decision */
  async decide(evaluation: Evaluation): Promise<EvaluationDecision> {
    try {
      return await this.bus.request(evaluatePolicy, evaluation, { timeoutMs: this.timeoutMs });
    } catch (cause) {
      throw undecided(cause);
    }
  }

  /**
   * Leaves of every list in a result what the caller may use.
   *
   * @throws McpError 503 when there is no decision, or not one per item
   */
  async filterResult(caller: Caller, server: string, result: Json): Promise<Json> {
    let filtered = result;
    for (const listed of listedItems(result))
      filtered = withAllowedItems(filtered, listed, await this.#allowed(caller, server, listed));
    return filtered;
  }

  async #allowed(caller: Caller, server: string, { list, ids }: ListedItems): Promise<boolean[]> {
    if (ids.length === 0) return [];
    try {
      const question = buildListEvaluation(caller, server, list, ids);
      const { evaluations } = await this.bus.request(evaluatePolicyBatch, question, {
        timeoutMs: this.timeoutMs,
      });
      if (evaluations.length !== ids.length) throw new Error('not one decision per item');
      return evaluations.map(({ decision }) => decision);
    } catch (cause) {
      throw undecided(cause);
    }
  }
}

function undecided(cause: unknown): McpError {
  return new McpError(mcpErrorCodes.internalError, 'The policy could not be asked; nothing was done', {
    status: 503,
    retryAfterSeconds: 1,
    cause,
  });
}
