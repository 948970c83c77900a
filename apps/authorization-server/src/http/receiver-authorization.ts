import type { BehalfConfig } from '@behalf/config';
import { OAuthError } from '@behalf/oauth';
import type { Receiver } from '@behalf/shared-signals';
import type { Request } from 'express';
import type { TokenAuthorization } from './token-authorization.js';

/** Who may be told: a configured receiver that presents a token for signals. */
export class ReceiverAuthorization {
  constructor(
    private readonly config: BehalfConfig,
    private readonly tokens: TokenAuthorization,
    private readonly receivers: readonly Receiver[],
  ) {}

  /** @throws OAuthError `invalid_token`, `insufficient_scope`, `access_denied`, and those of a DPoP proof */
  async check(request: Request, to: 'read' | 'manage'): Promise<Receiver> {
    const { sharedSignals } = this.config.authorizationServer.paths;
    const scopes = to === 'read' ? ['ssf.read', 'ssf.manage'] : ['ssf.manage'];
    const claims = await this.tokens.checkFor(request, sharedSignals, scopes);
    // In the name of itself only: a token that somebody acts with for a person opens no stream.
    const receiver = this.receivers.find(({ clientId }) => clientId === claims.client_id);
    if (!receiver || claims.act !== undefined || claims.sub !== claims.client_id)
      throw new OAuthError('access_denied', 'this client is no receiver of signals');
    return receiver;
  }
}
