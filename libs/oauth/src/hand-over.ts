import type { Confirmation } from './confirmation.js';

/** The program that is a resource, and the DPoP key that its operator says it has. */
export interface HandOver {
  clientId: string;
  jkt: string;
}

/**
 * The `may_act` of a token that is bound to a client certificate: its resource may become the next actor, with a key of
 * its own, and nobody else. TLS proves a certificate to whoever ends the connection, and leaves nothing that could be
 * handed on as a DPoP proof is; so the token itself names the key that will be proved in its stead, when it is issued.
 *
 * Undefined for other tokens, and for resources whose operator has told no key.
 *
 * @see RFC 8693 §4.4, RFC 7800 §3.1, RFC 8705 §3
 */
export function handOver(
  { handsOverTo }: { handsOverTo?: HandOver | undefined },
  cnf: Confirmation | undefined,
  issuer: string,
): { sub: string; iss: string; cnf: Confirmation } | undefined {
  if (handsOverTo === undefined || cnf?.['x5t#S256'] === undefined) return undefined;
  return { sub: handsOverTo.clientId, iss: issuer, cnf: { jkt: handsOverTo.jkt } };
}
