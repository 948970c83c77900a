import type { Condition } from './compile-condition.js';
import type { KeySource } from './issuer-key-sets.js';

/** What an issuer's access tokens of people are taken for. */
export interface AccessTokenRules {
  /** What they are made out to: one of these. */
  audiences: readonly string[];
  /** What their header says they are, in lower case. */
  types: readonly string[];
  /** The most they are worth here. */
  scopes: readonly string[];
  /** Where they say their scope, as a text or a list. */
  scopeClaim: string;
}

/** What an issuer's ID tokens are taken for. They say no scope: all of `scopes` is theirs. */
export interface IdTokenRules {
  audiences: readonly string[];
  scopes: readonly string[];
}

/** An issuer whose people we act for, and how far we believe it. */
export interface SubjectRules extends KeySource {
  algorithms: readonly string[];
  accessTokens?: AccessTokenRules | undefined;
  idTokens?: IdTokenRules | undefined;
  /** Our clients that may present its tokens; nobody else. */
  clients: readonly string[];
  /** Groups of people, from a claim, by a table: what is not in it does not come across. */
  groups?: { claim: string; map: Readonly<Record<string, string>> } | undefined;
  condition?: Condition | undefined;
  maxLifetimeSeconds: number;
}
