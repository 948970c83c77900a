import type { AuditLog } from '@behalf/audit';
import type { Evaluation, EvaluationDecision } from '@behalf/contracts';
import { type Confirmation, OAuthError, parseScope, ScopeSet, tokenTypes } from '@behalf/oauth';
import type { Signer } from '@behalf/ports';
import { coversAudience } from '@behalf/token-exchange';
import { askPolicy } from './ask-policy.js';
import { auditRecord, type Progress } from './audit-record.js';
import { idJagType } from './id-jag-claims.js';
import { IdJagRefusal, idJagRefusalToOAuthError } from './id-jag-refusal.js';

/** An authorization server that takes our ID-JAGs: which clients of ours it knows, and for which resources. */
export interface ResourceServerIssuer {
  issuer: string;
  /** Other names that clients may ask for it by. */
  aliases: readonly string[];
  /** `client_id` here to `client_id` there. A client that is a metadata document is the same everywhere. */
  clients: Readonly<Record<string, string>>;
  /** Resources of its own that may be named; a `*` at the end is a prefix. */
  resources: readonly string[];
  /** The most that an assertion may carry. */
  scopes: readonly string[];
}

/** Who a verified ID token or refresh token of ours is about. */
export interface AssertedSubject {
  sub: string;
  groups: readonly string[];
  auth_time?: number | undefined;
  acr?: string | undefined;
  amr?: string[] | undefined;
  /** The moment after which nothing may be asserted by it. */
  exp: number;
}

export interface IssueRequest {
  clientId: string;
  isConfidential: boolean;
  parameters: Readonly<Record<string, string | string[] | undefined>>;
  proof: Confirmation | undefined;
  nowSeconds: number;
  traceId?: string | undefined;
}

export interface IssueDependencies {
  issuer: string;
  lifetimeSeconds: number;
  servers: readonly ResourceServerIssuer[];
  /**
   * Verifies a subject token of ours that this client holds: an ID token that was issued to it, or its refresh token, as
   * the refresh grant would. Rejects with an OAuthError; `temporarily_unavailable` when it could not be decided.
   */
  verifySubject: (token: string, type: string, clientId: string) => Promise<AssertedSubject>;
  decide: (evaluation: Evaluation) => Promise<EvaluationDecision>;
  signer: Signer;
  audit: Pick<AuditLog, 'append'>;
  newId: () => string;
}

/** @see draft-ietf-oauth-identity-assertion-authz-grant §4.3.4 */
export interface IssueResponse {
  issued_token_type: typeof tokenTypes.idJag;
  access_token: string;
  token_type: 'N_A';
  expires_in: number;
  scope?: string;
}

/**
 * Issues an ID-JAG for the person of an ID token or refresh token that the client holds, to one authorization server
 * that takes them.
 *
 * The client must already be authenticated. Which (audience, resource) pairs there are, and what each may carry, is
 * configuration; nothing else is asserted. The assertion never outlives the ID token.
 *
 * @throws OAuthError `invalid_request`, `invalid_target`, `invalid_scope`, `unauthorized_client`,
 *   `temporarily_unavailable`
 * @see draft-ietf-oauth-identity-assertion-authz-grant §4.3; MCP Enterprise-Managed Authorization §4
 */
export async function issueIdJag(request: IssueRequest, deps: IssueDependencies): Promise<IssueResponse> {
  const progress: Progress = {};
  try {
    return await issue(request, deps, progress);
  } catch (error) {
    if (!(error instanceof IdJagRefusal)) throw error;
    await deps.audit.append(auditRecord('id-jag', request, progress, error)).catch(() => {});
    throw idJagRefusalToOAuthError(error.reason);
  }
}

async function issue(
  request: IssueRequest,
  deps: IssueDependencies,
  progress: Progress,
): Promise<IssueResponse> {
  const claims = await decideIdJag(request, deps, progress);
  const accessToken = await deps.signer.sign({ ...claims }, { typ: idJagType });
  await deps.audit.append(auditRecord('id-jag', request, progress)).catch((cause: unknown) => {
    throw new IdJagRefusal({ kind: 'not_recordable', cause });
  });
  return {
    issued_token_type: tokenTypes.idJag,
    access_token: accessToken,
    token_type: 'N_A',
    expires_in: claims.exp - request.nowSeconds,
    ...(claims.scope !== undefined && { scope: claims.scope }),
  };
}

/**
 * Decides what is asserted: by whom, about whom, to whom, where and for what. Signs nothing and records nothing.
 *
 * @param progress is told of each step as it is taken
 * @throws IdJagRefusal
 */
export async function decideIdJag(
  request: IssueRequest,
  deps: Omit<IssueDependencies, 'signer' | 'audit'>,
  progress: Progress,
) {
  const { clientId, parameters, proof, nowSeconds } = request;
  if (!request.isConfidential) throw new IdJagRefusal({ kind: 'client_is_public' });
  // What the draft leaves open is not guessed: a chain that we do not understand is not asserted.
  if (parameters['actor_token'] !== undefined) throw new IdJagRefusal({ kind: 'actor_token_unsupported' });
  const subject = await verifySubject(request, deps);
  progress.person = subject.sub;

  const server = selectServer(parameters['audience'], deps.servers);
  progress.audience = server.issuer;
  const theirClient = server.clients[clientId] ?? (clientId.startsWith('https://') ? clientId : undefined);
  if (theirClient === undefined) throw new IdJagRefusal({ kind: 'client_unknown_there' });
  const resource = selectResource(parameters['resource'], server);
  const scope = narrowScope(parameters['scope'], server);
  const exp = Math.min(nowSeconds + deps.lifetimeSeconds, subject.exp);

  progress.decisionId = await askPolicy(
    {
      subject: { type: 'user', id: subject.sub, properties: { groups: [...subject.groups] } },
      action: { name: 'id-jag' },
      resource: { type: 'audience', id: server.issuer },
      context: {
        client_id: clientId,
        scope: scope.toString(),
        ...(resource !== undefined && { target: resource }),
      },
    },
    deps,
  );
  return {
    iss: deps.issuer,
    sub: subject.sub,
    aud: server.issuer,
    client_id: theirClient,
    jti: deps.newId(),
    iat: nowSeconds,
    exp,
    ...(resource !== undefined && { resource }),
    ...(scope.size > 0 && { scope: scope.toString() }),
    ...(subject.auth_time !== undefined && { auth_time: subject.auth_time }),
    ...(subject.acr !== undefined && { acr: subject.acr }),
    ...(subject.amr && { amr: subject.amr }),
    ...(proof && { cnf: proof }),
  };
}

async function verifySubject(
  { clientId, parameters, nowSeconds }: IssueRequest,
  deps: Pick<IssueDependencies, 'verifySubject'>,
): Promise<AssertedSubject> {
  const type = single(parameters['subject_token_type']);
  if (type !== tokenTypes.idToken && type !== tokenTypes.refreshToken)
    throw new IdJagRefusal({ kind: 'subject_token_type_unsupported' });
  const token = single(parameters['subject_token']);
  const invalid = (cause: unknown): IdJagRefusal =>
    new IdJagRefusal({ kind: 'subject_token_invalid', cause });
  if (token === undefined) throw invalid('it is missing');
  const subject = await deps.verifySubject(token, type, clientId).catch((cause: unknown) => {
    if (cause instanceof OAuthError && cause.code !== 'temporarily_unavailable') throw invalid(cause);
    throw new IdJagRefusal({ kind: 'undecided', cause });
  });
  if (subject.exp <= nowSeconds) throw invalid('it has expired');
  return subject;
}

function selectServer(
  audience: string | string[] | undefined,
  servers: readonly ResourceServerIssuer[],
): ResourceServerIssuer {
  const [name, ...others] = [audience ?? []].flat();
  if (name === undefined) throw new IdJagRefusal({ kind: 'audience_missing' });
  const found = servers.find(({ issuer, aliases }) => issuer === name || aliases.includes(name));
  if (!found || others.length > 0) throw new IdJagRefusal({ kind: 'audience_unknown' });
  return found;
}

function selectResource(
  resource: string | string[] | undefined,
  { resources }: ResourceServerIssuer,
): string | undefined {
  const [name, ...others] = [resource ?? []].flat();
  if (name === undefined) return undefined;
  if (others.length > 0 || !coversAudience(resources, name))
    throw new IdJagRefusal({ kind: 'resource_not_there' });
  return name;
}

function narrowScope(scope: string | string[] | undefined, { scopes }: ResourceServerIssuer): ScopeSet {
  const text = single(scope);
  if (text === undefined) return new ScopeSet([]);
  try {
    const narrowed = parseScope(text).intersect(scopes);
    if (narrowed.size > 0) return narrowed;
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
  }
  throw new IdJagRefusal({ kind: 'no_scope_left' });
}

/** RFC 6749 §3.2: a parameter without a value is treated as if it were left out. */
function single(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
