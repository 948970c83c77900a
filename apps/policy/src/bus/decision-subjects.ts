import type { RecordsAhead } from '@behalf/audit';
import {
  type EvaluationDecision,
  evaluatePolicy,
  type PolicyAnswer,
  type PolicyQuestion,
  evaluatePolicyBatch,
  listDecisionGrantKeys,
} from '@behalf/contracts';
import { OAuthError } from '@behalf/oauth';
import { TooManyEvaluations } from '@behalf/policy';
import type { Bus, Subscription } from '@behalf/ports';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { type DecisionGrants, isThirdPartyUse } from '../decision-grants.js';
import type { DecisionPoint } from '../decision-point.js';

/** The same decisions on the bus. Messages are parsed by the contract before they get here. */
export class DecisionSubjects implements OnModuleInit, OnModuleDestroy {
  #subscriptions: Subscription[] = [];

  constructor(
    private readonly bus: Bus,
    private readonly decisions: DecisionPoint,
    private readonly grants: DecisionGrants,
    private readonly ahead: RecordsAhead,
  ) {}

  onModuleInit(): void {
    this.#subscriptions = [
      this.bus.handle(evaluatePolicy, (question) => this.#answer(question)),
      this.bus.handle(listDecisionGrantKeys, () => this.grants.publicJwks()),
      this.bus.handle(evaluatePolicyBatch, (request) => this.decisions.decideBatch(request).catch(asRefusal)),
    ];
  }

  async #answer({ recordsAhead, ...evaluation }: PolicyQuestion): Promise<PolicyAnswer> {
    // Only where the caller waits for the very same log. What a grant is signed for is recorded before that.
    if (recordsAhead !== this.ahead.id || isThirdPartyUse(evaluation))
      return this.grants.attach(evaluation, checkAnswered(await this.decisions.decide(evaluation)));
    let recording: string | undefined;
    const answer = await this.decisions.decideAhead(evaluation, (record) => {
      recording = this.ahead.begin(record);
    });
    return { ...checkAnswered(answer), ...(recording !== undefined && { recording }) };
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.#subscriptions.map((subscription) => subscription.drain()));
  }
}

/** A decision that has to be left to whoever was asked first is none: the caller goes on waiting for that one. */
function checkAnswered(answer: EvaluationDecision): EvaluationDecision {
  if (answer.context?.reason === 'repeated')
    throw new OAuthError('temporarily_unavailable', 'only who was asked first can decide this');
  return answer;
}

function asRefusal(error: unknown): never {
  if (error instanceof TooManyEvaluations)
    throw new OAuthError('invalid_request', error.message, { cause: error });
  throw error;
}
