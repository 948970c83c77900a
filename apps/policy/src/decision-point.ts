import type { AuditLog, AuditPlace, AuditRecord } from '@behalf/audit';
import type { Evaluation, EvaluationDecision, EvaluationsDecision } from '@behalf/contracts';
import {
  type ConditionDependencies,
  type MappingOptions,
  type PolicyEngine,
  RequestLists,
  type UncheckedEvaluations,
  decideWithConditions,
  evaluateBatch,
} from '@behalf/policy';
import type { Clock } from '@behalf/ports';
import type { Logger } from '@behalf/service-kit';
import { activeTraceId, attributes, inSpan, isTracing } from '@behalf/telemetry';
import { randomUUID } from 'node:crypto';
import { batchLimits } from './config.js';
import { DecisionGate } from './decision-gate.js';
import { buildDecisionRecord } from './decision-record.js';
import { actorNames, decisionAttributes } from './decision-attributes.js';

/** What conditions of policies are looked up in. */
export type ConditionPorts = Pick<ConditionDependencies, 'budgets' | 'approvals' | 'pinOf'>;

/** Begins to write a record. The caller sees to it that nothing comes of the decision before the record is durable. */
type BeginRecord = (record: AuditRecord) => void;

/** Told of every decision after it was recorded, or began to be, and never waited for. */
export type OnDecided = (decided: {
  evaluation: Evaluation;
  answer: EvaluationDecision;
  caller: string | undefined;
  decidedAtMs: number;
  latencyMicros: number;
  traceId: string | undefined;
}) => void;

export interface DecisionPointOptions {
  engine: PolicyEngine;
  mapping: MappingOptions;
  conditions: ConditionPorts;
  onDecided: OnDecided;
  /** Where approval of a call is asked for. */
  accessRequestEndpoint: string;
  audit: AuditLog;
  /** Answers say where they are recorded. */
  receipts: boolean;
  clock: Clock;
  logger: Logger;
  /** Decisions being made at once; past it callers are told to come back. */
  maxInFlight: number;
}

/**
 * Decides and writes down. Every decision is one span and one audit record, and the record is durable before the
 * answer leaves: what cannot be recorded is denied, whatever the policies say. A permission may leave while its record is
 * being written, to who waits for that (`decideAhead`).
 */
export class DecisionPoint {
  readonly #gate: DecisionGate;

  constructor(private readonly options: DecisionPointOptions) {
    this.#gate = new DecisionGate(options.maxInFlight, (shed) =>
      options.logger.warn({ shed }, 'too many decisions at once: callers were told to come back'),
    );
  }

  /**
   * @param caller the authenticated client that asks; undefined on the bus, whose callers are services
   * @throws OAuthError `temporarily_unavailable` past the bound on decisions at once
   */
  decide(evaluation: Evaluation, caller?: string): Promise<EvaluationDecision> {
    return this.#gate.run(1, () => this.#decideInSpan(evaluation, caller, this.#conditionsNow()));
  }

  /**
   * Decides for a caller who waits for the record of a permission by themselves; all else is recorded here.
   *
   * @throws OAuthError `temporarily_unavailable` past the bound on decisions at once
   */
  decideAhead(evaluation: Evaluation, begin: BeginRecord): Promise<EvaluationDecision> {
    return this.#gate.run(1, () => this.#decideInSpan(evaluation, undefined, this.#conditionsNow(), begin));
  }

  /**
   * For edges, before they read or verify anything: what is shed should cost next to nothing, or shedding itself makes the
   * answers of others late.
   *
   * @throws OAuthError `temporarily_unavailable` while there is no room
   */
  checkRoom(): void {
    this.#gate.check();
  }

  /** @throws TooManyEvaluations; OAuthError `temporarily_unavailable` */
  decideBatch(request: UncheckedEvaluations, caller?: string): Promise<EvaluationsDecision> {
    const conditions = this.#conditionsNow();
    conditions.lists = new RequestLists(this.options.engine, conditions);
    return this.#gate.run(request.evaluations?.length ?? 1, () =>
      evaluateBatch(request, (evaluation) => this.#decideInSpan(evaluation, caller, conditions), batchLimits),
    );
  }

  /** @param conditions shared by the evaluations of a batch: its moment, and the requests of its list */
  #decideInSpan(
    evaluation: Evaluation,
    caller: string | undefined,
    conditions: ConditionDependencies,
    begin?: BeginRecord,
  ): Promise<EvaluationDecision> {
    const { ownIssuer } = this.options.mapping;
    const named = { attributes: () => decisionAttributes(evaluation, ownIssuer) };
    return inSpan('policy decide', named, async (span) => {
      const began = performance.now();
      const decided = this.#withEndpoint(await decideWithConditions(evaluation, conditions));
      const latencyMicros = Math.round((performance.now() - began) * 1000);
      const answer = await this.#record(evaluation, decided, caller, latencyMicros, begin);
      this.options.onDecided({
        evaluation,
        answer,
        caller,
        decidedAtMs: conditions.nowMs,
        latencyMicros,
        traceId: activeTraceId(),
      });
      if (isTracing())
        span.setAttributes({
          [attributes.decision]: answer.decision,
          [attributes.decisionId]: answer.context?.id,
          [attributes.decisionReason]: answer.context?.reason,
        });
      return answer;
    });
  }

  /** Of this moment: what is decided by them is decided as of now. */
  #conditionsNow(): ConditionDependencies {
    const { engine, mapping, conditions, logger, clock } = this.options;
    return {
      ...mapping,
      ...conditions,
      engine,
      nowMs: clock.nowMs(),
      newId: randomUUID,
      onFault: ({ id, reason, cause }) => {
        // Only the kind of an engine's failure: its message may quote arguments.
        const why = reason === 'invalid_request' ? (cause as Error).message : (cause as Error).name;
        logger.warn({ decision_id: id, reason, why }, 'an evaluation could not be decided');
      },
    };
  }

  #withEndpoint(decided: EvaluationDecision): EvaluationDecision {
    const { decision, context } = decided;
    const offer = context?.access_request;
    if (offer === undefined) return decided;
    const { accessRequestEndpoint: endpoint } = this.options;
    return { decision, context: { ...context, access_request: { ...offer, endpoint } } };
  }

  async #record(
    evaluation: Evaluation,
    answer: EvaluationDecision,
    caller: string | undefined,
    tookMicros: number,
    begin: BeginRecord | undefined,
  ): Promise<EvaluationDecision> {
    const { audit, clock, logger, receipts } = this.options;
    let place: AuditPlace | undefined;
    try {
      const record = buildDecisionRecord({
        evaluation,
        answer,
        caller,
        actors: actorNames(evaluation, this.options.mapping.ownIssuer),
        occurredAtMs: clock.nowMs(),
        tookMicros,
      });
      if (begin && answer.decision) {
        begin(record);
        return answer;
      }
      await audit.append(record, receipts ? (placed: AuditPlace) => void (place = placed) : undefined);
      return place === undefined ? answer : withPlace(answer, place);
    } catch (err) {
      logger.error(
        { err, decision_id: answer.context?.id },
        'a decision could not be recorded and is denied',
      );
      const { id, policy_version } = answer.context ?? {};
      return {
        decision: false,
        context: { id, reason: 'policy_error', policies: [], errors: [], policy_version },
      };
    }
  }
}

function withPlace(
  { decision, context }: EvaluationDecision,
  { index, leafHash }: AuditPlace,
): EvaluationDecision {
  return { decision, context: { ...context, audit_record: { index, leaf_hash: leafHash } } };
}
