import type { AuthorizationDetailsType } from '@behalf/config';
import { type AuthorizationDetail, isWithinDetails, parseAuthorizationDetails } from '@behalf/oauth';
import {
  type DetailBounds,
  ExchangeRefusal,
  narrowAuthorizationDetails,
  refusalToOAuthError,
} from '@behalf/token-exchange';
import {
  errors,
  type KoaContextWithOIDC,
  type RichAuthorizationRequestsActiveConfiguration,
  type RichAuthorizationRequestsConfigurationBase,
} from 'oidc-provider';
import type { AgentClients } from './agent-clients.js';
import type { ProviderDependencies } from './dependencies.js';
import { throwToLibrary } from './throw-to-library.js';

type Configured = RichAuthorizationRequestsActiveConfiguration &
  Required<Pick<RichAuthorizationRequestsConfigurationBase, 'authorizationDetailsForIntrospection'>>;
type Parts = Pick<ProviderDependencies, 'config'> & { agents: AgentClients };

/** What every type may have. @see RFC 9396 §2.2 */
const commonMembers = ['type', 'locations', 'actions', 'datatypes', 'identifier', 'privileges'];

/**
 * What the library is told about authorization details. A request may name those of a configured type, in the form that
 * this type has, within the client's ceiling and for the resource it asks for. The person is asked about them each time.
 * A code and its refresh tokens carry what the request asked for; an access token no more than that, than its own
 * request names, and than the person's grant holds.
 *
 * @see RFC 9396 §2, §5, §6, §7
 */
export function richAuthorizationRequests(parts: Parts): Configured {
  const { authorizationDetailsTypes: types } = parts.config.authorizationServer;
  return {
    enabled: Object.keys(types).length > 0,
    types: Object.fromEntries(
      Object.entries(types).map(([name, type]) => [
        name,
        {
          validate: async (ctx: KoaContextWithOIDC, detail: AuthorizationDetail) => {
            checkForm(ctx, detail, type);
            if (!(await allowedTypes(ctx, parts)).includes(name))
              throw refused(`the client may not ask for ${name}`);
          },
        },
      ]),
    ),
    authorizationDetailsForGrantSource: ({ oidc: { params, grant } }) => {
      const requested = params?.['authorization_details'];
      if (typeof requested !== 'string') return undefined;
      const granted = (grant?.rar ?? []) as AuthorizationDetail[];
      return parseAuthorizationDetails(requested).filter((detail) => isWithinDetails(detail, granted));
    },
    authorizationDetailsForAccessToken: async (ctx, token, source) =>
      narrow(ctx, {
        subject: source?.rar ?? [],
        types: await allowedTypes(ctx, parts),
        locations: [token.resourceServer?.audience ?? ''],
        grants: [ctx.oidc.entities.Grant?.rar ?? []],
      }),
    authorizationDetailsForIntrospection: (_ctx, token) => token.rar,
  };
}

/** @throws InvalidAuthorizationDetails */
function checkForm(
  ctx: KoaContextWithOIDC,
  detail: AuthorizationDetail,
  type: AuthorizationDetailsType,
): void {
  const { params, route } = ctx.oidc;
  try {
    parseAuthorizationDetails(String(params?.['authorization_details']));
  } catch (cause) {
    throw refused('authorization_details is malformed', cause);
  }
  const known = [...commonMembers, ...Object.keys(type.members)];
  for (const member of Object.keys(detail))
    if (!known.includes(member)) throw refused(`a ${detail.type} has no member of this name`);
  for (const member of type.required)
    if (!Object.hasOwn(detail, member)) throw refused(`a ${detail.type} needs ${member}`);
  const { actions } = type;
  if (actions && !(detail.actions ?? []).every((action) => actions.includes(action)))
    throw refused(`a ${detail.type} has no such action`);
  // At the token endpoint what is for another place is left out, since the token is for one.
  const isElsewhere = (location: string): boolean => location !== params?.['resource'];
  if (route !== 'token' && detail.locations?.some(isElsewhere))
    throw refused('a location is not the resource that is asked for');
}

/** The types that are within the ceiling of an agent, or of a client that has one; all of them for any other client. */
async function allowedTypes(
  { oidc: { client } }: KoaContextWithOIDC,
  { config, agents }: Parts,
): Promise<string[]> {
  const { clients, authorizationDetailsTypes } = config.authorizationServer;
  const types = Object.keys(authorizationDetailsTypes);
  const clientId = client?.clientId ?? '';
  const ceiling =
    (await agents.find(clientId))?.ceiling ?? clients.find((known) => known.clientId === clientId)?.exchange;
  return ceiling ? types.filter((type) => ceiling.authorizationDetailsTypes?.includes(type)) : types;
}

function narrow(ctx: KoaContextWithOIDC, bounds: DetailBounds): AuthorizationDetail[] {
  try {
    return narrowAuthorizationDetails(
      ctx.oidc.params?.['authorization_details'] as string | undefined,
      bounds,
    );
  } catch (error) {
    return throwToLibrary(ctx, error instanceof ExchangeRefusal ? refusalToOAuthError(error.reason) : error);
  }
}

function refused(description: string, cause?: unknown): Error {
  return new errors.InvalidAuthorizationDetails(description, { cause });
}
