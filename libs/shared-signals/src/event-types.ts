const caep = 'https://schemas.openid.net/secevent/caep/event-type';
const risc = 'https://schemas.openid.net/secevent/risc/event-type';
const oauth = 'https://schemas.openid.net/secevent/oauth/event-type';
const ssf = 'https://schemas.openid.net/secevent/ssf/event-type';

/** CAEP 1.0: something about a session, a token or a credential has changed. */
export const caepEvents = {
  sessionRevoked: `${caep}/session-revoked`,
  tokenClaimsChange: `${caep}/token-claims-change`,
  credentialChange: `${caep}/credential-change`,
} as const;

/** RISC 1.0, and the OAuth events that came before it: something has happened to an account. */
export const riscEvents = {
  accountDisabled: `${risc}/account-disabled`,
  accountPurged: `${risc}/account-purged`,
  credentialChangeRequired: `${risc}/account-credential-change-required`,
  credentialCompromise: `${risc}/credential-compromise`,
  sessionsRevoked: `${risc}/sessions-revoked`,
  tokensRevoked: `${oauth}/tokens-revoked`,
  tokenRevoked: `${oauth}/token-revoked`,
} as const;

/** SSF 1.0: about a stream itself. */
export const streamEvents = {
  verification: `${ssf}/verification`,
  updated: `${ssf}/stream-updated`,
} as const;

/** What we transmit. Verification is sent to every stream, whatever it asked for. */
export const transmittedEvents: readonly string[] = Object.values(caepEvents);
