import type { ProviderConfig } from '@behalf/config';
import { canonicalResource, type ScopeHierarchy } from '@behalf/oauth';
import { type OAuthPreset, presets, type StaticPreset } from '../presets.js';
import type { Provider } from '../provider.js';
import { type Fault, resolveEach } from './fault.js';
import { resolveForwarding } from './resolve-forwarding.js';

/** What is asked for at a provider, and not how we authenticate there. */
export type ProviderAccess = Pick<
  Provider,
  'id' | 'name' | 'resources' | 'scopes' | 'defaultScopes' | 'impliedScopes' | 'internalHosts' | 'forwarding'
>;

/**
 * Resources and scopes, from what the configuration says and what presets know: for who asks for tokens of providers and
 * has none of their secrets.
 *
 * @throws ConfigError with every fault
 */
export function resolveProviderAccess(configs: readonly ProviderConfig[]): ProviderAccess[] {
  return resolveEach(
    configs,
    (config, fault) => accessOf(config, presetOf(config, fault), fault),
    resourcesOfTwo,
  );
}

/** Of its kind; an MCP server describes itself. */
export function presetOf(config: ProviderConfig, fault: Fault): OAuthPreset | StaticPreset | undefined {
  if (config.kind === 'mcp' || config.preset === undefined) return undefined;
  const preset = Object.hasOwn(presets, config.preset) ? presets[config.preset] : undefined;
  if (preset?.kind === config.kind) return preset;
  const known = Object.keys(presets).filter((id) => presets[id]?.kind === config.kind);
  fault(`preset: not one of ${known.join(', ')}`);
  return undefined;
}

export function accessOf(
  config: ProviderConfig,
  preset: OAuthPreset | StaticPreset | undefined,
  fault: Fault,
): ProviderAccess | undefined {
  const resources: readonly string[] | undefined =
    config.kind === 'mcp' ? [config.server] : (config.resources ?? preset?.resources);
  if (!resources) {
    fault('resources: needed');
    return undefined;
  }
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
  fault: Fault,
): ScopeHierarchy | undefined {
  for (const scope of Object.entries(config.impliedScopes ?? {}).flat(2))
    if (!Object.hasOwn(known, scope)) fault(`impliedScopes: ${scope} is none of the scopes of this provider`);
  return config.impliedScopes ?? preset?.impliedScopes;
}

/** A token is asked for by resource: one resource, one provider. */
export function resourcesOfTwo(providers: readonly Pick<Provider, 'id' | 'resources'>[]): string[] {
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
