import type { CedarRequest } from './cedar-request.js';

export interface PolicySource {
  /** The file's name within its bundle, e.g. `files.cedar`. */
  file: string;
  text: string;
}

/** Everything that decides, as it was read: nothing in it has been checked yet. */
export interface PolicyBundle {
  /** Names these contents and no others; every answer carries it. */
  version: string;
  policies: PolicySource[];
  /** A Cedar schema in its human-readable form. */
  schema: string;
  /** Cedar entities (JSON) that are the same for every request: teams in teams, suspended people. */
  entities?: unknown;
  /** Links of templates: which template stands for which principal and resource, under a name of its own. */
  links?: unknown;
}

/** One finding about a bundle. An `error` refuses the bundle, a `warning` does not. */
export interface PolicyProblem {
  severity: 'error' | 'warning';
  file?: string;
  policy?: string;
  reason: string;
}

export interface NamedPolicy {
  id: string;
  effect: 'permit' | 'forbid';
}

/** Cedar's own answer, before anything is added: erring policies have been skipped, as Cedar does. */
export interface EngineDecision {
  decision: 'allow' | 'deny';
  /** Ids of the policies that determined the decision, sorted. Empty when no policy matched. */
  determining: string[];
  /** Policies that could not be evaluated, sorted by id. */
  erring: NamedPolicy[];
  /** The bundle that decided. */
  policyVersion: string;
}

/** A policy of which it cannot be said whether it matches before more is known of the request. */
export interface PossiblePolicy extends NamedPolicy {
  /** What would have to hold, in Cedar's text form. */
  when: string;
  /** False: it never matches. */
  mayHold: boolean;
  /** False: it matches or errs, whatever comes. */
  mayFail: boolean;
}

/** What is certain about a request that is not known in full. Policies that are not named do not match. */
export interface PartialDecision {
  satisfied: NamedPolicy[];
  erring: NamedPolicy[];
  possible: PossiblePolicy[];
  policyVersion: string;
}

/** What requests of a list have in common. */
export type SharedRequest = Pick<CedarRequest, 'principal' | 'context' | 'entities'>;
/** What each adds; its entities come besides the shared ones. */
export type ListItem = Pick<CedarRequest, 'action' | 'resource' | 'entities'>;

/** Decides requests that share what the list was made of, all by one bundle, whatever is loaded meanwhile. */
export interface RequestList {
  readonly policyVersion: string;
  /** @throws PolicyEngineError */
  decide(item: ListItem): EngineDecision;
  /**
   * What can be said while the members of `context.arguments` are not known, besides those that are given. Sound: what is
   * certain here is so for all arguments.
   *
   * @throws PolicyEngineError
   */
  preview(item: ListItem): PartialDecision;
}

/**
 * Evaluates Cedar policies with Cedar's semantics, no more and no less; what Behalf adds is in `decideEvaluation`.
 * Evaluation is synchronous and does no I/O, so that filtering a long list costs no scheduling.
 */
export interface PolicyEngine {
  /** The bundle in use; undefined until one was accepted. */
  readonly version: string | undefined;
  /**
   * Checks a bundle and, when it has no errors, puts it in place of the one before, whole. With errors the one
   * before stays in use.
   */
  load(bundle: PolicyBundle): PolicyProblem[];
  /** @throws PolicyEngineError when there is no bundle, or the request cannot be evaluated at all */
  decide(request: CedarRequest): EngineDecision;
  /** Reads what a list of requests shares, once. @throws PolicyEngineError as `decide` does */
  list(shared: SharedRequest): RequestList;
}

/** The engine could not decide. The message stays inside: it may quote the request. */
export class PolicyEngineError extends Error {
  override readonly name = 'PolicyEngineError';
}
