/**
 * Who a token says it is from, to choose who verifies it. Nothing is verified here, and nothing else may be read this
 * way: the verifier that is chosen holds `iss` against its own issuer.
 *
 * @returns undefined for what is no JWT, or says nothing
 */
export function readIssuer(token: string): string | undefined {
  const [, payload, signature] = token.split('.', 4);
  if (signature === undefined) return undefined;
  try {
    const { iss } = JSON.parse(Buffer.from(payload as string, 'base64url').toString()) as { iss?: unknown };
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined;
  }
}
