import { ConfigError, type ProviderConfig } from '@behalf/config';
import { type ScopeHierarchy, canonicalResource } from '@behalf/oauth';
import { z } from 'zod';
import type { Forwarding } from './forwarding/forwarding.js';
import { type OAuthPreset, type StaticPreset, presets } from './presets.js';
import type { ProviderWebhook } from './webhook/provider-webhook.js';
import type { PrivateJwk, Provider, ProviderClient, Quirks } from './provider.js';

type Environment = Readonly<Record<string, string | undefined>>;
/** The secret of a variable's name, as it is at each call; undefined when there is none. */
type FindSecret = (name: string) => (() => string) | undefined;
type WebhookConfig = NonNullable<Extract<ProviderConfig, { kind: 'oauth' }>['webhook']>;
type ForwardConfig = NonNullable<ProviderConfig['forward']>;
type ClientConfig = NonNullable<Extract<ProviderConfig, { kind: 'mcp' }>['client']>;

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

/** `alg` and `kid` are what we sign by; `d` makes it a private one. */
const privateJwkSchema = z.looseObject({
  kty: z.string(),
  alg: z.string(),
  kid: z.string(),
  d: z.string(),
});

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
  const faults: string[] = [];
  const providers = configs.flatMap((config) => {
    const fault = (text: string): void => void faults.push(`elicitation.providers.${config.id}: ${text}`);
    const provider = resolveProvider(config, environment, findSecret, fault);
    return provider ? [provider] : [];
  });
  faults.push(...resourcesOfTwo(providers));
  if (faults.length > 0) throw new ConfigError(faults);
  return providers;
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
  fault: (text: string) => void,
): Provider | undefined {
  switch (config.kind) {
    case 'oauth':
      return resolveOAuthProvider(config, environment, findSecret, fault);
    case 'mcp':
      return {
        kind: 'mcp',
        ...commonOf(config, undefined, [config.server], fault),
        server: config.server,
        client:
          config.client &&
          resolveClient(config.client, 'client_secret_basic', environment, findSecret, fault),
        quirks: { ...defaultQuirks, sendResource: true, ...withoutUndefined(config.quirks) },
      };
    case 'static':
      return resolveStaticProvider(config, fault);
  }
}

function resolveOAuthProvider(
  config: Extract<ProviderConfig, { kind: 'oauth' }>,
  environment: Environment,
  findSecret: FindSecret,
  fault: (text: string) => void,
): Provider | undefined {
  const preset = presetOf(config.preset, 'oauth', fault) as OAuthPreset | undefined;
  const resources = config.resources ?? preset?.resources;
  const client = resolveClient(
    config.client,
    preset?.auth ?? 'client_secret_basic',
    environment,
    findSecret,
    fault,
  );
  const issuer = config.issuer ?? preset?.issuer;
  // An issuer of one's own (a GitLab on one's own machines) has endpoints of its own, too.
  const endpoints = config.endpoints ?? (config.issuer === undefined ? preset?.endpoints : undefined);
  if (!resources) fault('resources: needed');
  if (issuer === undefined && endpoints === undefined) fault('issuer or endpoints: one of them is needed');
  if (!client || !resources) return undefined;
  return {
    kind: 'oauth',
    ...commonOf(config, preset, resources, fault),
    issuer,
    endpoints,
    revocation: config.revocation ?? (config.issuer === undefined ? preset?.revocation : undefined),
    identity: config.identity ?? (config.issuer === undefined ? preset?.identity : undefined),
    webhook: config.webhook && resolveWebhook(config.webhook, preset?.webhook, environment, fault),
    client,
    quirks: {
      ...defaultQuirks,
      ...withoutUndefined(preset?.quirks),
      ...withoutUndefined(config.quirks),
    },
  };
}

function resolveWebhook(
  { secretEnv, demoSecret, ...own }: WebhookConfig,
  preset: OAuthPreset['webhook'],
  environment: Environment,
  fault: (text: string) => void,
): ProviderWebhook | undefined {
  const secret = secretEnv === undefined ? demoSecret : environment[secretEnv];
  const { signature, deliveryHeader, revoked, account, challenge } = { ...preset, ...withoutUndefined(own) };
  if (!secret) fault('webhook.secretEnv: needed');
  if (!signature || !revoked || account === undefined)
    fault('webhook: signature, revoked and account are needed');
  if (!secret || !signature || !revoked || account === undefined) return undefined;
  const { timestampHeader } = signature;
  const signed = { ...signature, timestampHeader };
  return { secret, signature: signed, deliveryHeader, revoked, account, challenge };
}

function resolveStaticProvider(
  config: Extract<ProviderConfig, { kind: 'static' }>,
  fault: (text: string) => void,
): Provider | undefined {
  const preset = presetOf(config.preset, 'static', fault) as StaticPreset | undefined;
  const resources = config.resources ?? preset?.resources;
  const probe = config.probe ?? preset?.probe;
  if (!resources) fault('resources: needed');
  if (!probe) fault('probe: needed, so that a wrong credential is found out at once');
  if (!resources || !probe) return undefined;
  const { url, method, account } = probe;
  const { label, hint, header, prefix } = { ...config.credential, ...withoutUndefined(preset?.credential) };
  return {
    kind: 'static',
    ...commonOf(config, preset, resources, fault),
    credential: { label, hint, header, prefix },
    probe: { url, method, account },
  };
}

function presetOf(name: string | undefined, kind: 'oauth' | 'static', fault: (text: string) => void) {
  if (name === undefined) return undefined;
  const preset = Object.hasOwn(presets, name) ? presets[name] : undefined;
  if (preset?.kind === kind) return preset;
  const known = Object.keys(presets).filter((id) => presets[id]?.kind === kind);
  fault(`preset: not one of ${known.join(', ')}`);
  return undefined;
}

function commonOf(
  config: ProviderConfig,
  preset: OAuthPreset | StaticPreset | undefined,
  resources: readonly string[],
  fault: (text: string) => void,
) {
  const scopes = config.scopes ?? preset?.scopes ?? {};
  const presetDefaults = preset?.defaultScopes?.filter((scope) => Object.hasOwn(scopes, scope));
  return {
    id: config.id,
    name: config.name ?? preset?.name ?? config.id,
    resources: resources as readonly [string, ...string[]],
    scopes,
    defaultScopes: config.defaultScopes ?? (presetDefaults?.length ? presetDefaults : Object.keys(scopes)),
    impliedScopes: impliedScopes(config, preset, scopes, fault),
    internalHosts: config.internalHosts,
    forwarding: config.forward && resolveForwarding(config.forward, resources, scopes, fault),
  };
}

/** Of a preset, between the scopes that there are; of a configuration, none that there is not. */
function impliedScopes(
  config: ProviderConfig,
  preset: OAuthPreset | StaticPreset | undefined,
  known: Readonly<Record<string, string>>,
  fault: (text: string) => void,
): ScopeHierarchy | undefined {
  for (const scope of Object.entries(config.impliedScopes ?? {}).flat(2))
    if (!Object.hasOwn(known, scope)) fault(`impliedScopes: ${scope} is none of the scopes of this provider`);
  return config.impliedScopes ?? preset?.impliedScopes;
}

function resolveForwarding(
  {
    rules,
    requestHeaders,
    responseHeaders,
    maxRequestBytes,
    maxResponseBytes,
    timeoutSeconds,
  }: ForwardConfig,
  [resource = '']: readonly string[],
  known: Readonly<Record<string, string>>,
  fault: (text: string) => void,
): Forwarding {
  for (const scope of rules.flatMap(({ scopes }) => scopes))
    if (!Object.hasOwn(known, scope)) fault(`forward: ${scope} is none of the scopes of this provider`);
  return {
    rules: rules.map(({ origin = new URL(resource).origin, ...rule }) => ({ origin, ...rule })),
    requestHeaders,
    responseHeaders,
    maxRequestBytes,
    maxResponseBytes,
    timeoutMs: timeoutSeconds * 1000,
  };
}

function resolveClient(
  { id, auth: configured, secretEnv, demoSecret, privateKeyEnv }: ClientConfig,
  usual: 'client_secret_basic' | 'client_secret_post',
  environment: Environment,
  findSecret: FindSecret,
  fault: (text: string) => void,
): ProviderClient | undefined {
  const auth = configured ?? (privateKeyEnv === undefined ? usual : 'private_key_jwt');
  switch (auth) {
    case 'none':
      return { id, auth };
    case 'private_key_jwt': {
      const privateJwk = parsePrivateKey(
        privateKeyEnv === undefined ? undefined : environment[privateKeyEnv],
      );
      if (!privateJwk) fault('client.privateKeyEnv: must hold a private JWK with alg and kid');
      return privateJwk && { id, auth, privateJwk };
    }
    default: {
      const secret = secretEnv === undefined ? fixed(demoSecret) : findSecret(secretEnv);
      if (!secret) fault('client.secretEnv: needed');
      return secret ? { id, auth, secret } : undefined;
    }
  }
}

function fixed(secret: string | undefined): (() => string) | undefined {
  return secret ? () => secret : undefined;
}

function parsePrivateKey(text: string | undefined): PrivateJwk | undefined {
  try {
    return privateJwkSchema.safeParse(JSON.parse(text ?? '')).data;
  } catch {
    return undefined;
  }
}

/** A token is asked for by resource: one resource, one provider. */
function resourcesOfTwo(providers: readonly Provider[]): string[] {
  const owners = new Map<string, string>();
  return providers.flatMap(({ id, resources }) =>
    resources.flatMap((resource) => {
      const owner = owners.get(canonicalResource(resource));
      owners.set(canonicalResource(resource), id);
      return owner === undefined
        ? []
        : [`elicitation.providers.${id}.resources: ${owner} has one of them, too`];
    }),
  );
}

function withoutUndefined<T extends object>(
  values: T | undefined,
): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(values ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
