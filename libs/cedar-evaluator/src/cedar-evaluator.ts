import { type CompiledPolicy, type PolicySource, compilePolicy } from './compile-policy.js';
import { EntityStore } from './entity-store.js';
import { EntityUid } from './entity-uid.js';
import type { Environment } from './environment.js';
import { EvaluationError } from './evaluation-error.js';
import { type PolicyAnswer, combineVerdicts } from './combine-verdicts.js';
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
/** What each adds. A context of its own replaces the shared one whole. */
export type ItemJson = Pick<RequestJson, 'action' | 'resource'> &
  Partial<Pick<RequestJson, 'context' | 'entities'>>;

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
    this.#index = new PolicyIndex(policies.map(compilePolicy));
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
   * @throws UnreadableInput, as does the returned function
   */
  forList(shared: SharedJson): (item: ItemJson) => PolicyAnswer {
    const principal = EntityUid.read(shared.principal);
    const sharedContext: CedarRecord = readRecord(shared.context);
    const sharedEntities = this.#entities.with(shared.entities);
    return ({ action, resource, context, entities }) =>
      this.#answer({
        principal,
        action: EntityUid.read(action),
        resource: EntityUid.read(resource),
        context: context === undefined ? sharedContext : readRecord(context),
        entities: entities === undefined ? sharedEntities : sharedEntities.with(entities),
      });
  }

  #answer(environment: Environment): PolicyAnswer {
    const { principal, action, resource, entities } = environment;
    const applicable = this.#index.applicable({
      principal: { uid: principal, entity: entities.get(principal.key) },
      action: { uid: action, entity: entities.get(action.key) },
      resource: { uid: resource, entity: entities.get(resource.key) },
    });
    const satisfied: CompiledPolicy[] = [];
    const erring: CompiledPolicy[] = [];
    for (const policy of applicable) {
      try {
        if (holds(policy, environment)) satisfied.push(policy);
      } catch (error) {
        if (!(error instanceof EvaluationError)) throw error;
        erring.push(policy);
      }
    }
    return combineVerdicts(satisfied, erring);
  }
}

function holds({ conditions }: CompiledPolicy, environment: Environment): boolean {
  for (const { run, holdsWhen } of conditions) {
    if (asBoolean(run(environment)) !== holdsWhen) return false;
  }
  return true;
}
