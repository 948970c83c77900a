import {
  type AuthorizationDetail,
  intersectAuthorizationDetails,
  isWithinDetails,
  parseAuthorizationDetails,
} from '@behalf/oauth';
import { ExchangeRefusal } from './exchange-refusal.js';

export interface DetailBounds {
  /** What the subject token carries. */
  subject: readonly AuthorizationDetail[];
  /** The types that the client may carry; empty denies all. */
  types: readonly string[];
  /** The identifiers the issued token will be for: a detail for other places has none here. */
  locations: readonly string[];
  /** What the person delegated, where delegation grants are needed. */
  grants: readonly (readonly AuthorizationDetail[])[];
}

/**
 * The authorization details of the issued token: those in all bounds, or what was asked for, if that is in all of them.
 *
 * @throws ExchangeRefusal for malformed details, and when more was asked for
 * @see RFC 9396 §6, §9.1
 */
export function narrowAuthorizationDetails(
  requested: string | undefined,
  bounds: DetailBounds,
): AuthorizationDetail[] {
  const here = bounds.subject
    .filter(({ type }) => bounds.types.includes(type))
    .flatMap((detail) => atLocations(detail, bounds.locations));
  const authority = bounds.grants.reduce<AuthorizationDetail[]>(intersectAuthorizationDetails, here);
  if (requested === undefined) return authority;
  const asked = readRequested(requested);
  if (!asked.every((detail) => isWithinDetails(detail, authority))) {
    throw new ExchangeRefusal({ kind: 'authorization_details_beyond_authority' });
  }
  return asked;
}

/** RFC 9396 §2.2: `locations` names the resource servers a detail is for. */
function atLocations(detail: AuthorizationDetail, allowed: readonly string[]): AuthorizationDetail[] {
  if (detail.locations === undefined) return [detail];
  const locations = detail.locations.filter((location) => allowed.includes(location));
  return locations.length === 0 ? [] : [{ ...detail, locations }];
}

function readRequested(requested: string): AuthorizationDetail[] {
  try {
    return parseAuthorizationDetails(requested);
  } catch (cause) {
    throw new ExchangeRefusal({ kind: 'authorization_details_malformed', cause });
  }
}
