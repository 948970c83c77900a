/**
 * Issuers other than us whose JWTs say something here: their keys, fetched by a guarded fetch that the caller brings,
 * kept, rotated and used on while they cannot be fetched, and the verification of what they signed. What a verified
 * token is good for is decided where it is presented: token exchange, client authentication, authorization grants.
 */
export { compileCondition, type Condition } from './compile-condition.js';
export { qualifyActors } from './map-external-claims.js';
export { ExternalSubjects } from './external-subjects.js';
export { type AccessTokenRules, type IdTokenRules, type SubjectRules } from './subject-rules.js';
export { IssuerKeySets, type IssuerKeySetsOptions, type KeySource } from './issuer-key-sets.js';
export { type ExpectedJwt, peekIssuer, verifyTrustedJwt, type VerifiedJwt } from './verify-trusted-jwt.js';
