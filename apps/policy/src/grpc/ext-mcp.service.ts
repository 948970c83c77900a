import type { Evaluation, EvaluationDecision } from '@behalf/contracts';
import type { Caller } from '@behalf/mcp';
import { OAuthError } from '@behalf/oauth';
import {
  type ProtobufStruct,
  UnmappableRequest,
  callerOf,
  denialDetails,
  extMcpCode,
  extMcpEvaluations,
  extMcpLists,
  fromStruct,
  isNotification,
  isPlainPermit,
  readJsonObject,
  serverNamed,
  toStruct,
} from '@behalf/policy-dialects';
import type { Logger } from '@behalf/service-kit';
import { type PolicyServiceConfig, type ServedBackend, batchLimits, evaluationLimits } from '../config.js';
import type { DecisionPoint } from '../decision-point.js';
import type { CallerAuthentication } from '../http/caller-authentication.js';
import type { TokenExchanger } from './token-exchanger.js';

interface Asked {
  service_names?: string[];
  method?: string;
  metadata_context?: ProtobufStruct;
}
export interface McpRequest extends Asked {
  mcp_request?: Uint8Array;
  headers?: { key?: string; value?: Uint8Array }[];
}
export interface McpResponse extends Asked {
  mcp_response?: Uint8Array;
}
interface Refusal {
  error: { code: number; reason: string; mcp_error?: Uint8Array };
}
/** The person, and the token that proved it where there is one. */
interface Identity {
  caller: Caller;
  token?: string;
}

const passed = { pass: {} };

/**
 * agentgateway's MCP guardrails. A caller that may ask always gets a result, never a gRPC error, which would be for its
 * `failureMode` to decide on.
 *
 * The person is what the processor's `metadata` says (`sub`, and `act`, `client_id`, `groups`, `scope`, `aud` where
 * configured), or else the bearer token in the request's headers when the backend's `resource` is configured. Answers
 * carry no headers, so filtering lists needs the metadata.
 */
export class ExtMcpService {
  constructor(
    private readonly decisions: DecisionPoint,
    private readonly callers: CallerAuthentication,
    private readonly config: PolicyServiceConfig,
    private readonly logger: Logger,
    private readonly exchanger: TokenExchanger | undefined,
  ) {}

  async checkRequest(request: McpRequest, asking: string | undefined): Promise<object> {
    try {
      return await this.#checkRequest(request, asking);
    } catch (error) {
      return this.#refuse(error);
    }
  }

  async checkResponse(response: McpResponse, asking: string | undefined): Promise<object> {
    try {
      return await this.#checkResponse(response, asking);
    } catch (error) {
      return this.#refuse(error);
    }
  }

  async #checkRequest(request: McpRequest, asking: string | undefined): Promise<object> {
    const { service_names: serviceNames = [], method = '', mcp_request: bytes } = request;
    const { caller, token } = await this.#identify(request);
    if (isNotification(method)) return passed;
    const params = bytes?.length ? readJsonObject(bytes, evaluationLimits) : undefined;
    const evaluations = extMcpEvaluations({ serviceNames, method, params }, caller, this.config.backends);
    const answers = await this.#decideAll(evaluations, asking);
    const denial = answers.find((answer) => !isPlainPermit(answer));
    if (denial !== undefined) return denied(denial);
    return {
      ...passed,
      ...(await this.#exchanged(token, serviceNames)),
      metadata: toStruct({ decision_id: answers[0]?.context?.id }),
    };
  }

  async #checkResponse(response: McpResponse, asking: string | undefined): Promise<object> {
    const { service_names: serviceNames = [], mcp_response: bytes } = response;
    const result = readJsonObject(bytes ?? new Uint8Array(), batchLimits);
    const unfiltered = ['tools', 'prompts', 'resources'].some((member) => Array.isArray(result[member]));
    // Only lists are decided on here; everything else was when it was asked for.
    if (!unfiltered) return passed;
    const { caller } = await this.#identify(response);
    let kept = result;
    for (const list of extMcpLists(result, serviceNames, caller, this.config.backends)) {
      const answers = await this.#decideAll(
        list.items.flatMap((item) => item.evaluations),
        asking,
      );
      let next = 0;
      const allowed = list.items.map(({ evaluations }) => {
        const own = answers.slice(next, (next += evaluations.length));
        return own.length === evaluations.length && own.every((answer) => answer.decision);
      });
      kept = list.keep(kept, allowed);
    }
    return { mutated: Buffer.from(JSON.stringify(kept)) };
  }

  async #decideAll(evaluations: Evaluation[], asking: string | undefined): Promise<EvaluationDecision[]> {
    const answers: EvaluationDecision[] = [];
    for (let start = 0; start < evaluations.length; start += batchLimits.maxEvaluations) {
      const part = evaluations.slice(start, start + batchLimits.maxEvaluations);
      answers.push(...(await this.decisions.decideBatch({ evaluations: part }, asking)).evaluations);
    }
    return answers;
  }

  async #identify(asked: McpRequest): Promise<Identity> {
    const metadata = fromStruct(asked.metadata_context);
    const backend = this.#backend(asked.service_names ?? []);
    // A token is exchanged for the person whom it names, so that has to be the one who is decided on.
    if (backend?.exchangeResource === undefined && metadata['sub'] !== undefined && metadata['sub'] !== null)
      return { caller: callerOf(metadata) };
    if (backend?.resource === undefined)
      throw new UnmappableRequest('no_identity', 'the request names no person');
    const authorization = headerOf(asked, 'authorization') ?? bearerOf(metadata['access_token']);
    const caller = await this.callers.authenticatePerson(
      authorization,
      new URLSearchParams(),
      backend.resource,
    );
    const token = authorization?.trim().split(/ +/)[1];
    return { caller, ...(token !== undefined && { token }) };
  }

  async #exchanged(token: string | undefined, serviceNames: string[]): Promise<object> {
    const resource = this.#backend(serviceNames)?.exchangeResource;
    if (resource === undefined) return {};
    if (this.exchanger === undefined || token === undefined)
      throw new OAuthError('access_denied', 'there is no token to exchange');
    const exchanged = await this.exchanger.exchange(token, resource);
    return {
      header_mutation: { set: [{ key: 'authorization', value: Buffer.from(`Bearer ${exchanged}`) }] },
    };
  }

  /** Several services have several audiences, so a token says nothing about all of them. */
  #backend([only, ...others]: string[]): ServedBackend | undefined {
    if (only === undefined || others.length > 0) return undefined;
    const name = serverNamed(this.config.backends, only);
    return this.config.backends.find((backend) => backend.name === name);
  }

  #refuse(error: unknown): Refusal {
    if (error instanceof UnmappableRequest) {
      this.logger.warn(
        { dialect: 'ext_mcp', why: error.problem },
        'a request was refused without being decided',
      );
      const code = error.why === 'malformed' ? extMcpCode.INVALID : extMcpCode.PERMISSION_DENIED;
      return { error: { code, reason: error.problem } };
    }
    if (error instanceof OAuthError) {
      const reason = error.toJSON().error_description;
      if (error.status === 503) return { error: { code: extMcpCode.RESOURCE_EXHAUSTED, reason } };
      return { error: { code: extMcpCode.PERMISSION_DENIED, reason } };
    }
    this.logger.error({ err: error, dialect: 'ext_mcp' }, 'a request could not be decided');
    return { error: { code: extMcpCode.UNKNOWN, reason: 'the decision failed' } };
  }
}

function denied(answer: EvaluationDecision): Refusal {
  const code =
    answer.context?.reason === 'invalid_request' ? extMcpCode.INVALID : extMcpCode.PERMISSION_DENIED;
  const mcp_error = Buffer.from(JSON.stringify(denialDetails(answer)));
  return { error: { code, reason: 'denied', mcp_error } };
}

function headerOf({ headers = [] }: McpRequest, name: string): string | undefined {
  const values = headers.filter((header) => header.key?.toLowerCase() === name);
  if (values.length > 1) throw new UnmappableRequest('refused', `the header ${name} is repeated`);
  const value = values[0]?.value;
  return value === undefined ? undefined : Buffer.from(value).toString('latin1');
}

function bearerOf(token: unknown): string | undefined {
  return typeof token === 'string' && token !== '' ? `Bearer ${token}` : undefined;
}
