/**
 * Who a token says it is from, to choose who verifies it. Nothing is verified here, and nothing else may be read this
 * way: the verifier that is chosen holds `iss` against its own issuer.
 *
 * @returns undefined for what is no JWT, or says nothing
 */
export function readIssuer(token: string): string | undefined {
  const [, payload, signature] = token.split('.', 4);
  if (payload === undefined || signature === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const issuer = (claims as { iss?: unknown } | null)?.iss;
    return typeof issuer === 'string' ? issuer : undefined;
  } catch {
    return undefined;
  }
}
