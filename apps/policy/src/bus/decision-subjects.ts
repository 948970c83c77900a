import {
  type EvaluationDecision,
  evaluatePolicy,
  evaluatePolicyBatch,
  listDecisionGrantKeys,
} from '@behalf/contracts';
import { OAuthError } from '@behalf/oauth';
import { TooManyEvaluations } from '@behalf/policy';
import type { Bus, Subscription } from '@behalf/ports';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import type { DecisionGrants } from '../decision-grants.js';
import type { DecisionPoint } from '../decision-point.js';

/** The same decisions on the bus. Messages are parsed by the contract before they get here. */
export class DecisionSubjects implements OnModuleInit, OnModuleDestroy {
  #subscriptions: Subscription[] = [];

  constructor(
    private readonly bus: Bus,
    private readonly decisions: DecisionPoint,
    private readonly grants: DecisionGrants,
  ) {}

  onModuleInit(): void {
    this.#subscriptions = [
      this.bus.handle(evaluatePolicy, async (evaluation) =>
        this.grants.attach(evaluation, checkAnswered(await this.decisions.decide(evaluation))),
      ),
      this.bus.handle(listDecisionGrantKeys, () => this.grants.publicJwks()),
      this.bus.handle(evaluatePolicyBatch, (request) => this.decisions.decideBatch(request).catch(asRefusal)),
    ];
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
