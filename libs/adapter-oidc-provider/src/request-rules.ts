import type { ProtectedResource } from '@behalf/config';
import { errors } from 'oidc-provider';
import type { ResourceRegistry } from './resource-registry.js';

/** Scopes of the sign-in itself; no resource is needed for them. */
export const signInScopes = ['openid', 'profile'];
// Accepted and ignored: a refresh token depends on the client's grant types, not on this.
const accepted = new Set([...signInScopes, 'offline_access']);

export interface RequestParameters {
  resource?: string | string[] | undefined;
  scope?: string | undefined;
}

/**
 * Settles what an authorization request asks for: one registered resource in its registered spelling, and scopes that
 * it knows. Clients ask for everything they have seen somewhere, or for nothing: unknown scopes are dropped, and the
 * resource's defaults stand in for none.
 *
 * @throws InvalidTarget for a missing, unknown or second resource; InvalidScope when nothing is left
 * @see RFC 8707 §2.1, RFC 6749 §3.3
 */
export function settleAuthorizationRequest(parameters: RequestParameters, resources: ResourceRegistry): void {
  const requested = splitScope(parameters.scope);
  const identifier = single(parameters.resource);
  if (identifier === undefined && requested.length > 0 && requested.every((scope) => accepted.has(scope))) {
    parameters.scope = settleScope(requested, undefined);
    return;
  }
  const resource = resources.findForPeople(identifier ?? resources.legacyDefault ?? '');
  if (!resource) {
    throw new errors.InvalidTarget(
      identifier === undefined ? 'resource is required' : 'the resource is not known here',
    );
  }
  parameters.resource = resource.resource;
  parameters.scope = settleScope(requested, resource);
}

/** Puts the registered spelling in place of another one of the same resource. Unknown ones stay as they are. */
export function settleResourceSpelling(parameters: RequestParameters, resources: ResourceRegistry): void {
  if (typeof parameters.resource !== 'string') return;
  parameters.resource = resources.find(parameters.resource)?.resource ?? parameters.resource;
}

function settleScope(requested: string[], resource: ProtectedResource | undefined): string {
  if (requested.length === 0) return (resource?.defaultScopes ?? []).join(' ');
  const known = new Set([...accepted, ...(resource?.scopes ?? [])]);
  const kept = requested.filter((scope) => known.has(scope));
  // Scopes of the sign-in say nothing about the resource, so its defaults apply.
  if (kept.length > 0 && kept.every((scope) => accepted.has(scope)))
    kept.push(...(resource?.defaultScopes ?? []));
  const settled = kept.filter((scope) => scope !== 'offline_access');
  if (settled.length === 0) {
    throw new errors.InvalidScope('none of the requested scopes can be granted', requested.join(' '));
  }
  return [...new Set(settled)].join(' ');
}

function single(value: string | string[] | undefined): string | undefined {
  if (!Array.isArray(value)) return value;
  if (new Set(value).size > 1) throw new errors.InvalidTarget('one resource per request');
  return value[0];
}

export function splitScope(scope: string | undefined): string[] {
  return scope?.split(' ').filter((value) => value !== '') ?? [];
}
