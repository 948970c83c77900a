/** Grant types served at the token endpoint. @see RFC 6749 §4, RFC 8693 §2.1, RFC 7523 §2.1 */
export const grantTypes = {
  authorizationCode: 'authorization_code',
  refreshToken: 'refresh_token',
  clientCredentials: 'client_credentials',
  tokenExchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
  jwtBearer: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
} as const;

/** Token type identifiers. @see RFC 8693 §3 */
export const tokenTypes = {
  accessToken: 'urn:ietf:params:oauth:token-type:access_token',
  refreshToken: 'urn:ietf:params:oauth:token-type:refresh_token',
  idToken: 'urn:ietf:params:oauth:token-type:id_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
  idJag: 'urn:ietf:params:oauth:token-type:id-jag',
  /** draft-ietf-oauth-transaction-tokens §7 */
  transactionToken: 'urn:ietf:params:oauth:token-type:txn_token',
} as const;

export type TokenType = (typeof tokenTypes)[keyof typeof tokenTypes];
