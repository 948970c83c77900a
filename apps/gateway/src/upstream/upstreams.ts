import type { UpstreamConfig } from '@behalf/config';
import type { Clock, OneTimeStore } from '@behalf/ports';
import { ThirdParty } from '@behalf/sdk';
import type { Logger } from '@behalf/service-kit';
import type { GatewaySettings } from '../config.js';
import { PushedRequests } from '../elicitation/pushed-requests.js';
import { SessionBinding } from '../enforcement/session-binding.js';
import type { ToolDefinitions } from '../enforcement/tool-definitions.js';
import { HttpUpstream } from './http-upstream.js';
import { StdioUpstream } from './stdio-upstream.js';
import type { TokenExchanger } from './token-exchanger.js';
import type { Upstream } from './upstream.js';

export const UPSTREAMS = Symbol('UPSTREAMS');
export type Upstreams = ReadonlyMap<string, Upstream>;

/** Every configured upstream, not yet started. */
export function buildUpstreams(
  settings: GatewaySettings,
  exchanger: TokenExchanger,
  tools: ToolDefinitions,
  clock: Clock,
  oneTime: OneTimeStore,
  logger: Logger,
): Upstreams {
  const sessions = new SessionBinding(settings.sharedSecrets('upstream sessions'));
  const pushed = new PushedRequests(oneTime);
  return new Map(
    [...settings.upstreams.values()].map(({ name, config }): [string, Upstream] => {
      const log = logger.child({ upstream: name });
      return [
        name,
        config.transport === 'stdio'
          ? new StdioUpstream(name, config, config.timeoutMs, tools, log)
          : new HttpUpstream({
              name,
              config,
              exchanger,
              sessions,
              pushed,
              thirdParty: thirdPartyOf(config, settings),
              clock,
              logger: log,
            }),
      ];
    }),
  );
}

function thirdPartyOf(
  { thirdParty }: Extract<UpstreamConfig, { transport: 'http' }>,
  { gateway, issuer, tokenEndpoint, clientSecret }: GatewaySettings,
): ThirdParty | undefined {
  return (
    thirdParty &&
    new ThirdParty({
      issuer,
      tokenEndpoint,
      clientId: gateway.clientId,
      clientSecret,
      resource: thirdParty.resource,
      ...(thirdParty.scopes && { scope: thirdParty.scopes.join(' ') }),
      timeoutMs: gateway.limits.exchangeTimeoutMs,
    })
  );
}
