import { type CompiledPolicy, PolicyCompiler, type PolicySource } from './compile-policy.js';
import { EntityStore } from './entity-store.js';
import { EntityUid } from './entity-uid.js';
import type { Environment } from './environment.js';
import { EvaluationError } from './evaluation-error.js';
import { type PolicyAnswer, combineVerdicts } from './combine-verdicts.js';
import { type PartialAnswer, evaluatePartially } from './evaluate-partially.js';
import { OpenRecord } from './open-record.js';
import type { OpenEnvironment } from './partial-value.js';
import type { UidJson } from './policy-json.js';
import { PolicyIndex } from './policy-index.js';
import { readRecord } from './read-value.js';
import { asBoolean } from './type-checks.js';
import type { CedarRecord } from './value.js';

/** A request in Cedar's JSON form. */
export interface RequestJson {
  principal: UidJson;
  action: UidJson;
  resource: UidJson;
  context: object;
  /** Those that only this request knows. */
  entities: readonly unknown[];
}

/** What the requests of a list have in common. */
export type SharedJson = Pick<RequestJson, 'principal' | 'context' | 'entities'>;
/** What each adds. */
export type ItemJson = Pick<RequestJson, 'action' | 'resource' | 'entities'>;

/** Answers requests that share a principal, a context and most entities. */
export interface RequestList {
  /** @throws UnreadableInput */
  evaluate(item: ItemJson): PolicyAnswer;
  /**
   * As `evaluate`, with a context that is open at the list's paths: sound for whatever its unknown members are.
   *
   * @throws UnreadableInput
   */
  evaluatePartially(item: ItemJson): PartialAnswer;
}

/**
 * Decides by a fixed set of policies and of entities, with Cedar's semantics: every policy that applies is evaluated,
 * one that errs is skipped and named, and any satisfied `forbid` outweighs every `permit`. Pure and synchronous.
 *
 * Does not parse policy text and checks nothing against a schema.
 */
export class CedarEvaluator {
  readonly #index: PolicyIndex;
  readonly #entities: EntityStore;

  /** @throws PolicyNotCompiled, UnreadableInput */
  constructor(policies: readonly PolicySource[], entities: readonly unknown[] = []) {
    const compiler = new PolicyCompiler();
    this.#index = new PolicyIndex(policies.map((policy) => compiler.compile(policy)));
    this.#entities = EntityStore.read(entities);
  }

  /** @throws UnreadableInput */
  evaluate(request: RequestJson): PolicyAnswer {
    return this.#answer({
      principal: EntityUid.read(request.principal),
      action: EntityUid.read(request.action),
      resource: EntityUid.read(request.resource),
      context: readRecord(request.context),
      entities: this.#entities.with(request.entities),
    });
  }

  /**
   * Reads what a list of requests shares once, and returns what answers each of them.
   *
   * @param open paths of records in the context that may have more members than are given, for `evaluatePartially`
   * @throws UnreadableInput
   */
  forList(shared: SharedJson, open: readonly (readonly string[])[] = []): RequestList {
    const principal = EntityUid.read(shared.principal);
    const context: CedarRecord = readRecord(shared.context);
    const sharedEntities = this.#entities.with(shared.entities);
    // Most lists are never asked for a preview.
    let openContext: OpenRecord | undefined;
    // Items of a list mostly ask for the same.
    let last: EntityUid | undefined;
    const environmentOf = ({ action, resource, entities }: ItemJson): Environment => ({
      principal,
      action: (last = EntityUid.readAfter(last, action)),
      resource: EntityUid.read(resource),
      context,
      entities: sharedEntities.with(entities),
    });
    return {
      evaluate: (item) => this.#answer(environmentOf(item)),
      evaluatePartially: (item) => {
        openContext ??= OpenRecord.over(context, open);
        return this.#answerPartially({ ...environmentOf(item), openContext });
      },
    };
  }

  #applicable({ principal, action, resource, entities }: Environment): CompiledPolicy[] {
    return this.#index.applicable({
      principal: { uid: principal, entity: entities.get(principal.key) },
      action: { uid: action, entity: entities.get(action.key) },
      resource: { uid: resource, entity: entities.get(resource.key) },
    });
  }

  #answer(environment: Environment): PolicyAnswer {
    const satisfied: CompiledPolicy[] = [];
    const erring: CompiledPolicy[] = [];
    for (const policy of this.#applicable(environment)) {
      const status = statusOf(policy, environment);
      if (status === 'satisfied') satisfied.push(policy);
      else if (status === 'erring') erring.push(policy);
    }
    return combineVerdicts(satisfied, erring);
  }

  #answerPartially(environment: OpenEnvironment): PartialAnswer {
    const answer: PartialAnswer = { satisfied: [], erring: [], residual: [] };
    for (const policy of this.#applicable(environment)) {
      const { id, effect, partially } = policy;
      if (partially !== undefined) evaluatePartially(policy, partially(), environment, answer);
      else {
        const status = statusOf(policy, environment);
        if (status !== 'unsatisfied') answer[status].push({ id, effect });
      }
    }
    return answer;
  }
}

function statusOf(policy: CompiledPolicy, environment: Environment): 'satisfied' | 'unsatisfied' | 'erring' {
  try {
    return holds(policy, environment) ? 'satisfied' : 'unsatisfied';
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return 'erring';
  }
}

function holds({ conditions }: CompiledPolicy, environment: Environment): boolean {
  for (const { run, holdsWhen } of conditions) {
    if (asBoolean(run(environment)) !== holdsWhen) return false;
  }
  return true;
}
