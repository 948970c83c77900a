import {
  type DecisionContext,
  type Evaluation,
  type EvaluationDecision,
  type EvaluationsRequest,
  type accessRequestTaskSchema,
  evaluatePolicy,
  evaluatePolicyBatch,
  requestAccess,
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
import type { z } from 'zod';

export type ApprovalTask = z.output<typeof accessRequestTaskSchema>['task'];

/** Asks the policy service. What it cannot decide, in time and in form, is refused and never allowed. */
export class PolicyDecisions {
  constructor(
    private readonly bus: Bus,
    private readonly timeoutMs: number,
    /** What this gateway is called where approvals are asked for. */
    private readonly clientId: string,
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
   * Opens a request for approval of this very call, or finds the one that is open or decided.
   *
   * @returns undefined when the policy service offers none: nobody can approve what it does not know exactly
   * @throws McpError 503 when it does not answer
   */
  async requestApproval(
    evaluation: Evaluation,
    { access_request: offer }: DecisionContext,
  ): Promise<ApprovalTask | undefined> {
    if (offer === undefined) return undefined;
    const { binding_token } = offer;
    try {
      const submission = { evaluation, denial: { binding_token }, caller: this.clientId };
      return (await this.bus.request(requestAccess, submission, { timeoutMs: this.timeoutMs })).task;
    } catch (cause) {
      throw undecided(cause);
    }
  }

  /**
   * Leaves of every list in a result what the caller may use.
   *
   * @throws McpError 503 when there is no decision, or not one per item
   */
  async filterResult(
    caller: Caller,
    server: string,
    result: Json,
    describe: (question: EvaluationsRequest) => EvaluationsRequest = (question) => question,
  ): Promise<Json> {
    let filtered = result;
    for (const listed of listedItems(result))
      filtered = withAllowedItems(filtered, listed, await this.#allowed(caller, server, listed, describe));
    return filtered;
  }

  async #allowed(
    caller: Caller,
    server: string,
    { list, ids }: ListedItems,
    describe: (question: EvaluationsRequest) => EvaluationsRequest,
  ): Promise<boolean[]> {
    if (ids.length === 0) return [];
    try {
      const question = describe(buildListEvaluation(caller, server, list, ids));
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
