import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { OAuthError } from './oauth-error.js';

const maxBytes = 16 * 1024;
const maxDetails = 32;

/** Members that hold sets: less of them is less authority. @see RFC 9396 §2.2 */
const setMembers = ['locations', 'actions', 'datatypes', 'privileges'] as const;
const isSetMember = (name: string): boolean => (setMembers as readonly string[]).includes(name);

/**
 * One authorization detail. A set that is there is not empty: an empty one could be read as "none" or as "all".
 *
 * @see RFC 9396 §2
 */
export const authorizationDetailSchema = z.looseObject({
  type: z.string().min(1),
  ...Object.fromEntries(setMembers.map((name) => [name, z.array(z.string().min(1)).min(1).optional()])),
}) as z.ZodType<AuthorizationDetail>;
export const authorizationDetailsSchema = z.array(authorizationDetailSchema).max(maxDetails);

export interface AuthorizationDetail {
  type: string;
  locations?: string[] | undefined;
  actions?: string[] | undefined;
  datatypes?: string[] | undefined;
  privileges?: string[] | undefined;
  [member: string]: unknown;
}

/**
 * Reads the `authorization_details` parameter.
 *
 * @throws OAuthError `invalid_authorization_details`
 * @see RFC 9396 §2, §5
 */
export function parseAuthorizationDetails(text: string): AuthorizationDetail[] {
  try {
    if (text.length > maxBytes) throw new RangeError('too large');
    return authorizationDetailsSchema.min(1).parse(JSON.parse(text));
  } catch (cause) {
    throw new OAuthError('invalid_authorization_details', 'authorization_details is malformed', { cause });
  }
}

/**
 * What two details of one type allow both; undefined when that is nothing.
 *
 * The sets of RFC 9396 §2.2 are intersected. All else has to be equal, and a member that only one of them has is a
 * difference: what its absence means only the API knows, and guessing "anything" would widen.
 */
export function intersectAuthorizationDetail(
  one: AuthorizationDetail,
  other: AuthorizationDetail,
): AuthorizationDetail | undefined {
  const names = Object.keys(one);
  if (names.length !== Object.keys(other).length) return undefined;
  const both: [string, unknown][] = [];
  for (const name of names) {
    if (!Object.hasOwn(other, name)) return undefined;
    const shared = isSetMember(name)
      ? intersect(one[name], other[name])
      : equalOrNone(one[name], other[name]);
    if (shared === undefined) return undefined;
    both.push([name, shared]);
  }
  // Not by assignment: a member named __proto__ would be no member then.
  return Object.fromEntries(both) as AuthorizationDetail;
}

function intersect(one: unknown, other: unknown): string[] | undefined {
  const allowed = new Set(other as string[]);
  const shared = [...new Set(one as string[])].filter((value) => allowed.has(value));
  return shared.length === 0 ? undefined : shared;
}

function equalOrNone(one: unknown, other: unknown): unknown {
  return isDeepStrictEqual(one, other) ? one : undefined;
}

/** What both lists allow, each detail of one against each of the other. */
export function intersectAuthorizationDetails(
  one: readonly AuthorizationDetail[],
  other: readonly AuthorizationDetail[],
): AuthorizationDetail[] {
  const both: AuthorizationDetail[] = [];
  for (const detail of one) {
    for (const against of other) {
      const shared = intersectAuthorizationDetail(detail, against);
      if (shared && !both.some((known) => isDeepStrictEqual(known, shared))) both.push(shared);
    }
  }
  return both;
}

/** True when one held detail allows all that the other does. */
export function isWithinDetails(detail: AuthorizationDetail, held: readonly AuthorizationDetail[]): boolean {
  return held.some((allowed) => {
    const shared = intersectAuthorizationDetail(detail, allowed);
    return (
      shared !== undefined &&
      setMembers.every((name) => new Set(shared[name]).size === new Set(detail[name]).size)
    );
  });
}
