import type { ProviderConfig } from '@behalf/config';
import { canonicalResource } from '@behalf/oauth';
import type { OAuthPreset, StaticPreset } from '../presets.js';
import type { Provider, Quirks } from '../provider.js';
import { type Fault, resolveEach } from './fault.js';
import { accessOf, presetOf, resourcesOfTwo } from './resolve-access.js';
import { type Environment, type FindSecret, fixed, resolveClient } from './resolve-client.js';
import { resolveWebhook } from './resolve-webhook.js';
import { withoutUndefined } from './without-undefined.js';

/** Of a provider that keeps to the standards. */
export const defaultQuirks: Quirks = {
  pkce: true,
  sendResource: false,
  scopeParameter: 'scope',
  scopeSeparator: ' ',
  addedScopes: [],
  authorizationParameters: {},
  tokenRequestBody: 'form',
  tokenMember: undefined,
  // With a provider that nobody described, a used refresh token is taken to be gone.
  refreshTokens: 'rotating',
  refreshGraceSeconds: 10,
  accessTokenSeconds: undefined,
};

/**
 * Providers as they are used, from what the configuration says, what presets know and what the environment holds.
 * Secrets of clients come from `findSecret`.
 *
 * @throws ConfigError with every fault, by name and never by value
 */
export function resolveProviders(
  configs: readonly ProviderConfig[],
  environment: Environment,
  findSecret: FindSecret = (name) => fixed(environment[name]),
): Provider[] {
  return resolveEach(
    configs,
    (config, fault) => resolveProvider(config, environment, findSecret, fault),
    resourcesOfTwo,
  );
}

/** The provider whose credentials open a resource, whatever way the resource is spelt. */
export function findProvider(providers: readonly Provider[], resource: string): Provider | undefined {
  const wanted = canonicalResource(resource);
  return providers.find(({ resources }) => resources.some((known) => canonicalResource(known) === wanted));
}

function resolveProvider(
  config: ProviderConfig,
  environment: Environment,
  findSecret: FindSecret,
  fault: Fault,
): Provider | undefined {
  switch (config.kind) {
    case 'oauth':
      return resolveOAuthProvider(config, environment, findSecret, fault);
    case 'mcp':
      return resolveMcpProvider(config, environment, findSecret, fault);
    case 'static':
      return resolveStaticProvider(config, fault);
  }
}

function resolveMcpProvider(
  config: Extract<ProviderConfig, { kind: 'mcp' }>,
  environment: Environment,
  findSecret: FindSecret,
  fault: Fault,
): Provider | undefined {
  const access = accessOf(config, undefined, fault);
  const client =
    config.client && resolveClient(config.client, 'client_secret_basic', environment, findSecret, fault);
  const quirks = { ...defaultQuirks, sendResource: true, ...withoutUndefined(config.quirks) };
  return access && { kind: 'mcp', ...access, server: config.server, client, quirks };
}

function resolveOAuthProvider(
  config: Extract<ProviderConfig, { kind: 'oauth' }>,
  environment: Environment,
  findSecret: FindSecret,
  fault: Fault,
): Provider | undefined {
  const preset = presetOf(config, fault) as OAuthPreset | undefined;
  const access = accessOf(config, preset, fault);
  const usual = preset?.auth ?? 'client_secret_basic';
  const client = resolveClient(config.client, usual, environment, findSecret, fault);
  const issuer = config.issuer ?? preset?.issuer;
  // An issuer of one's own (a GitLab on one's own machines) has endpoints of its own, too.
  const ofPreset = config.issuer === undefined ? preset : undefined;
  const endpoints = config.endpoints ?? ofPreset?.endpoints;
  if (issuer === undefined && endpoints === undefined) fault('issuer or endpoints: one of them is needed');
  if (!client || !access) return undefined;
  return {
    kind: 'oauth',
    ...access,
    issuer,
    endpoints,
    revocation: config.revocation ?? ofPreset?.revocation,
    identity: config.identity ?? ofPreset?.identity,
    webhook: config.webhook && resolveWebhook(config.webhook, preset?.webhook, environment, fault),
    client,
    quirks: {
      ...defaultQuirks,
      ...withoutUndefined(preset?.quirks),
      ...withoutUndefined(config.quirks),
    },
  };
}

function resolveStaticProvider(
  config: Extract<ProviderConfig, { kind: 'static' }>,
  fault: Fault,
): Provider | undefined {
  const preset = presetOf(config, fault) as StaticPreset | undefined;
  const access = accessOf(config, preset, fault);
  const probe = config.probe ?? preset?.probe;
  if (!probe) fault('probe: needed, so that a wrong credential is found out at once');
  if (!access || !probe) return undefined;
  const { url, method, account } = probe;
  const { label, hint, header, prefix } = { ...config.credential, ...withoutUndefined(preset?.credential) };
  return {
    kind: 'static',
    ...access,
    credential: { label, hint, header, prefix },
    probe: { url, method, account },
  };
}
