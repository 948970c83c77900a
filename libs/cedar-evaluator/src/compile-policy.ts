import { PolicyNotCompiled, type Run } from './code.js';
import { compileExpression } from './compile-expression.js';
import { compilePartially } from './compile-partially.js';
import { EntityUid } from './entity-uid.js';
import { readsContext } from './expression-parts.js';
import { nestingDepth } from './nesting-depth.js';
import type { PartialRun } from './partial-value.js';
import type { ActionScopeJson, EntityOrSlotJson, PolicyJson, ScopeJson } from './policy-json.js';
import type { ScopeConstraint } from './scope-index.js';
import { UnreadableInput } from './unreadable-input.js';

/** Far beyond what people write, far below what the stack holds. Each operator nests the JSON twice. */
const maxNesting = 1000;

export interface PolicySource {
  readonly id: string;
  readonly json: PolicyJson;
}

export interface CompiledPolicy {
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  readonly principal: ScopeConstraint;
  readonly action: ScopeConstraint;
  readonly resource: ScopeConstraint;
  /** In order, each with what it has to evaluate to. */
  readonly conditions: readonly { run: Run; holdsWhen: boolean }[];
  /** All conditions as one, for contexts that are not known in full; undefined when none of them reads the context. */
  readonly partially: (() => PartialRun) | undefined;
}

/**
 * Compiles the policies of one bundle. Heads and conditions that are the same in several of them are compiled once and
 * shared: of thousands of policies most differ in names only, and what is shared stays in the processor's cache.
 */
export class PolicyCompiler {
  readonly #scopes = new Map<string, ScopeConstraint>();
  readonly #conditions = new Map<string, Run>();

  /** @throws PolicyNotCompiled when the policy names what is not there, or nests too deeply */
  compile({ id, json }: PolicySource): CompiledPolicy {
    if (nestingDepth(json.conditions) > maxNesting)
      throw new PolicyNotCompiled('a condition nests too deeply');
    try {
      return {
        id,
        effect: json.effect,
        principal: this.#share(this.#scopes, json.principal, () => compileScope(json.principal)),
        action: this.#share(this.#scopes, json.action, () => compileActionScope(json.action)),
        resource: compileScope(json.resource),
        conditions: json.conditions.map(({ kind, body }) => ({
          run: this.#share(this.#conditions, body, () => compileExpression(body).run),
          holdsWhen: kind === 'when',
        })),
        partially: whenFirstAsked(json),
      };
    } catch (cause) {
      if (cause instanceof UnreadableInput) throw new PolicyNotCompiled(cause.message, { cause });
      throw cause;
    }
  }

  #share<T>(compiled: Map<string, T>, json: object, compile: () => T): T {
    const spelled = spell(json);
    const known = spelled === undefined ? undefined : compiled.get(spelled);
    if (known !== undefined) return known;
    const made = compile();
    if (spelled !== undefined) compiled.set(spelled, made);
    return made;
  }
}

/** Undefined for what JSON cannot spell: an integer that a number cannot hold. */
function spell(json: object): string | undefined {
  let isWhole = true;
  const spelled = JSON.stringify(json, (_name, value: unknown) => {
    if (typeof value !== 'bigint') return value;
    isWhole = false;
    return null;
  });
  return isWhole ? spelled : undefined;
}

/** Compiled when a preview first needs it: most policies are never looked at this way, and it is work. */
function whenFirstAsked({ conditions }: PolicyJson): CompiledPolicy['partially'] {
  const all = conditions.map(({ kind, body }) => (kind === 'when' ? body : { '!': { arg: body } }));
  if (!all.some(readsContext)) return undefined;
  let compiled: PartialRun | undefined;
  return () => (compiled ??= compilePartially(all.reduce((left, right) => ({ '&&': { left, right } }))));
}

function compileScope(scope: ScopeJson): ScopeConstraint {
  switch (scope.op) {
    case 'All':
      return {};
    case '==':
      return { equals: keyOf(scope) };
    case 'in':
      return { within: [keyOf(scope)] };
    case 'is':
      return { type: scope.entity_type, ...(scope.in && { within: [keyOf(scope.in)] }) };
    default:
      throw new PolicyNotCompiled('there is no such scope');
  }
}

function compileActionScope(scope: ActionScopeJson): ScopeConstraint {
  if (scope.op !== 'in') return compileScope(scope);
  const entities = 'entities' in scope ? scope.entities : [scope.entity];
  return { within: entities.map((uid) => EntityUid.read(uid).key) };
}

function keyOf(named: EntityOrSlotJson): string {
  if ('entity' in named) return EntityUid.read(named.entity).key;
  throw new PolicyNotCompiled(`the slot ${named.slot} is not filled`);
}
