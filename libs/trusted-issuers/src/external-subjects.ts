import { OAuthError, tokenTypes } from '@behalf/oauth';
import { nowSeconds, type Clock } from '@behalf/ports';
import type { TokenClaims } from '@behalf/token-exchange';
import type { IssuerKeySets } from './issuer-key-sets.js';
import { mapExternalClaims } from './map-external-claims.js';
import type { AccessTokenRules, IdTokenRules, SubjectRules } from './subject-rules.js';
import { verifyTrustedJwt } from './verify-trusted-jwt.js';

const idTokenTypes = [undefined, 'jwt'];

/** The people of other issuers: verifies what is presented for them at token exchange. */
export class ExternalSubjects {
  readonly #byIssuer: ReadonlyMap<string, SubjectRules>;

  constructor(
    rules: readonly SubjectRules[],
    private readonly keySets: IssuerKeySets,
    private readonly clock: Clock,
  ) {
    this.#byIssuer = new Map(rules.map((each) => [each.issuer, each]));
  }

  /**
   * Verifies a token of another issuer as what it is presented as, and that this client may present it.
   *
   * An ID token is taken for one only under ID tokens' rules, an access token only under access tokens': their `typ` and
   * their audiences keep them apart. Whether the token has been revoked over there cannot be known here.
   *
   * @throws OAuthError `invalid_token`; `temporarily_unavailable` when the issuer's keys cannot be had
   */
  async verify(
    token: string,
    { issuer, tokenType, clientId }: { issuer: string; tokenType: string; clientId: string },
  ): Promise<TokenClaims> {
    const unless: (sound: unknown, fault: string) => asserts sound = (sound, fault) => {
      if (!sound) throw new OAuthError('invalid_token', fault);
    };
    const rules = this.#byIssuer.get(issuer);
    unless(rules, 'the issuer is not trusted');
    // Before anything is fetched: nobody else makes us ask an issuer for its keys.
    unless(rules.clients.includes(clientId), 'the client may not present tokens of this issuer');
    const isIdToken = tokenType === tokenTypes.idToken;
    const kind = isIdToken ? rules.idTokens : accessTokenRules(rules, tokenType);
    unless(kind, 'the issuer is not trusted for this type of token');

    const { claims } = await verifyTrustedJwt(token, {
      issuer,
      keys: this.keySets.keysOf(rules),
      algorithms: rules.algorithms,
      audiences: kind.audiences,
      types: isIdToken ? idTokenTypes : (kind as AccessTokenRules).types,
      maxLifetimeSeconds: rules.maxLifetimeSeconds,
      nowSeconds: nowSeconds(this.clock),
    });
    // What ID tokens have besides, and logout tokens, which look like them, must not.
    if (isIdToken) {
      unless(claims.iat !== undefined && claims['events'] === undefined, 'it is no ID token');
      unless(
        claims['azp'] === undefined || kind.audiences.includes(claims['azp'] as string),
        'azp is another',
      );
    }
    unless(rules.condition?.(claims, clientId) ?? true, 'the condition does not hold');
    return mapExternalClaims(token, claims, rules, scopeOf(claims, kind));
  }
}

/** An access token of another issuer may be presented as what it is or, since that URN is the issuer's own, as a JWT. */
function accessTokenRules({ accessTokens }: SubjectRules, tokenType: string): AccessTokenRules | undefined {
  return tokenType === tokenTypes.accessToken || tokenType === tokenTypes.jwt ? accessTokens : undefined;
}

function scopeOf(claims: Record<string, unknown>, rules: AccessTokenRules | IdTokenRules): string[] {
  if (!('scopeClaim' in rules)) return [...rules.scopes];
  const said = claims[rules.scopeClaim];
  const values = Array.isArray(said) ? said : typeof said === 'string' ? said.split(' ') : [];
  return rules.scopes.filter((scope) => values.includes(scope));
}
