import { OAuthError } from '@behalf/oauth';
import { extendDeadline } from '@behalf/ports';
import { LOGGER, type Logger } from '@behalf/service-kit';
import { type OutboundRelay, forwardMethods } from '@behalf/third-party';
import type { Vault } from '@behalf/vault';
import { All, Controller, Inject, Param, Req, Res, type Type } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { ElicitationServiceConfig } from '../config.js';
import { authenticateCaller, calledResource, checkScope } from '../forward/authenticate-caller.js';
import { ForwardDesk, type ForwardingProvider } from '../forward/forward-desk.js';
import { FORWARD_SETTINGS, type ForwardSettings, type TokenChecks } from '../forward/forward-settings.js';
import { LiveCalls } from '../forward/live-calls.js';
import { CredentialRefused, relayCall } from '../forward/relay-call.js';
import { ProviderCatalog } from '../provider-catalog.js';
import { OUTBOUND_RELAY, TOKEN_CHECKS, VAULT } from '../tokens.js';

/**
 * Where agents call a third party's API with a token of ours: `<forward>/<provider>/<host>/<path>`. The third party's
 * token is put in here and never leaves for them.
 */
export function forwardController({ forward }: ElicitationServiceConfig['paths']): Type {
  @Controller(forward)
  class ForwardController {
    constructor(
      @Inject(FORWARD_SETTINGS) private readonly settings: ForwardSettings,
      @Inject(TOKEN_CHECKS) private readonly checks: TokenChecks,
      @Inject(ProviderCatalog) private readonly providers: ProviderCatalog,
      @Inject(ForwardDesk) private readonly desk: ForwardDesk,
      @Inject(LiveCalls) private readonly live: LiveCalls,
      @Inject(OUTBOUND_RELAY) private readonly relay: OutboundRelay,
      @Inject(VAULT) private readonly vault: Vault,
      @Inject(LOGGER) private readonly logger: Logger,
    ) {}

    @All(':provider/*path')
    async forward(
      @Param('provider') id: string,
      @Req() request: Request,
      @Res() response: Response,
    ): Promise<void> {
      const provider = this.#provider(id);
      const called = calledResource(this.settings, id, request);
      const claims = await authenticateCaller(request, response, called, this.checks);
      const method = forwardMethods.find((known) => known === request.method);
      if (!method) throw new OAuthError('invalid_request', 'no such method is passed on', { status: 405 });
      const call = await this.desk.find(provider, method, this.#target(id, request), claims);
      checkScope(claims, call.neededScopes, response, called);
      const credential = await this.desk.open(call, claims);
      const { connectionId, credentialVersion } = credential;
      // Nothing that came too late is passed on.
      extendDeadline(call.provider.forwarding.timeoutMs);
      try {
        await this.live.run({ claims, connectionId }, async (controller) => {
          response.once('close', () => controller.abort(new Error('the caller has gone')));
          const { signal } = controller;
          await relayCall(call, credential, { request, response, base: called.resource, signal }, this.relay);
        });
      } catch (error) {
        if (response.destroyed) return this.logger.debug({ err: error }, 'a forwarded call was not finished');
        if (!(error instanceof CredentialRefused)) throw error;
        // The provider ended it, or its time: the next call gets another one, or asks the person.
        await this.vault.reportRefused(connectionId, credentialVersion);
        throw new OAuthError('temporarily_unavailable', 'the third party no longer accepts the token', {
          cause: error,
          retryAfterSeconds: 1,
        });
      }
    }

    #provider(id: string): ForwardingProvider {
      const provider = this.providers.find(id);
      if (provider?.forwarding !== undefined) return { ...provider, forwarding: provider.forwarding };
      throw new OAuthError('invalid_request', 'there is nothing at this path', { status: 404 });
    }

    /** As it came: what the router made of it may mean something else to the third party. */
    #target(id: string, { originalUrl }: Request): string {
      const prefix = `${forward}/${id}/`;
      if (originalUrl.startsWith(prefix)) return originalUrl.slice(prefix.length);
      throw new OAuthError('invalid_request', 'the address of the call is malformed');
    }
  }
  return ForwardController;
}
