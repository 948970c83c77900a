/**
 * People at the pages of a service: they sign in at our own issuer, and are known there for minutes by a sealed cookie.
 * Tokens of programs are `@behalf/resource-server`; the sign-in itself happens at the authorization server.
 */
export { type PersonSession, PersonSessions, type PersonSessionsOptions } from './person-sessions.js';
export { PersonSignIn, type PersonSignInOptions, type SignedInPerson } from './person-sign-in.js';
export { readCookie } from './read-cookie.js';
