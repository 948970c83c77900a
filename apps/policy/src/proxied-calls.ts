import type { Evaluation, EvaluationDecision } from '@behalf/contracts';
import type { Caller } from '@behalf/mcp';
import { OAuthError } from '@behalf/oauth';
import {
  type ProxiedRequest,
  UnmappableRequest,
  deniedCode,
  denialDetails,
  isPlainPermit,
  jsonRpcErrorBody,
  mcpEvaluation,
  readProxiedCall,
} from '@behalf/policy-dialects';
import type { Logger } from '@behalf/service-kit';
import { evaluationLimits } from './config.js';
import type { DecisionPoint } from './decision-point.js';

/** What a proxy is told. `body` is for the client that it refuses. */
export type ProxyAnswer =
  | { allowed: true; decisionId: string | undefined }
  | {
      allowed: false;
      status: 401 | 403 | 503;
      body: string;
      decisionId?: string | undefined;
      /** What the client's token lacks; for the challenge. */
      error?: OAuthError;
    };

export interface ProxiedQuestion {
  request: ProxiedRequest;
  backend: { name: string; enforcesHeaderMatch: boolean };
  /** Establishes the person, or throws. */
  identify: () => Promise<Caller>;
  /** The authenticated client that asks. */
  caller: string | undefined;
}

/**
 * Answers proxies that ask about an HTTP request on its way to an MCP server: Envoy in both its protocols, nginx,
 * Caddy, Traefik. Always has an answer: a failure of any kind is a denial, never an error that a proxy might be told to
 * ignore.
 */
export class ProxiedCalls {
  constructor(
    private readonly decisions: DecisionPoint,
    private readonly logger: Logger,
  ) {}

  async check(question: ProxiedQuestion): Promise<ProxyAnswer> {
    let id: string | number | null = null;
    try {
      const { request, backend, identify, caller } = question;
      // The person first, also for messages that nobody decides on: they are not for strangers either.
      const person = await identify();
      const proxied = readProxiedCall(request, backend, evaluationLimits);
      if (proxied.kind === 'pass') return { allowed: true, decisionId: undefined };
      id = proxied.id;
      const evaluation: Evaluation = mcpEvaluation({ server: backend.name, caller: person, ...proxied.call });
      return this.#answer(await this.decisions.decide(evaluation, caller), id);
    } catch (error) {
      return this.refuse(error, id);
    }
  }

  #answer(answer: EvaluationDecision, id: string | number | null): ProxyAnswer {
    const decisionId = answer.context?.id;
    if (isPlainPermit(answer)) return { allowed: true, decisionId };
    const body = jsonRpcErrorBody(id, deniedCode, 'denied', denialDetails(answer));
    return { allowed: false, status: 403, body, decisionId };
  }

  refuse(error: unknown, id: string | number | null): ProxyAnswer {
    const refused = (status: 401 | 403 | 503, code: number, message: string): ProxyAnswer => ({
      allowed: false,
      status,
      body: jsonRpcErrorBody(id, code, message),
      ...(error instanceof OAuthError && { error }),
    });
    if (error instanceof UnmappableRequest) {
      this.logger.warn({ why: error.problem }, 'a proxied request was refused without being decided');
      if (error.why === 'no_identity') return refused(401, deniedCode, 'an access token is needed');
      return refused(403, error.why === 'malformed' ? -32600 : deniedCode, `denied: ${error.problem}`);
    }
    if (error instanceof OAuthError && error.status < 500)
      return refused(error.status === 401 ? 401 : 403, deniedCode, error.toJSON().error_description);
    if (error instanceof OAuthError && error.status === 503)
      return refused(503, -32603, 'decisions cannot be made right now');
    this.logger.error({ err: error }, 'a proxied request could not be decided');
    return refused(403, -32603, 'the decision failed');
  }
}
