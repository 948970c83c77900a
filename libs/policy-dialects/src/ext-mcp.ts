import type { Evaluation } from '@behalf/contracts';
import { type Caller, type ListDescription, listedItems, withAllowedItems } from '@behalf/mcp';
import { type Backend, serverNamed } from './backend.js';
import { describeAnyMethod, mcpEvaluation } from './mcp-call.js';
import { UnmappableRequest } from './unmappable-request.js';

/** `AuthorizationError.Code` of `agentgateway.dev.ext_mcp`. */
export const extMcpCode = { UNKNOWN: 0, PERMISSION_DENIED: 1, RESOURCE_EXHAUSTED: 2, INVALID: 3 } as const;

/** The separator that agentgateway puts between a target and a name when it merges several targets into one. */
const separator = '_';

export interface Target {
  server: string;
  id: string;
}

/**
 * The things that a name can mean, all of which have to be allowed. Behind one service it is that service's own name.
 * Behind several, agentgateway writes `<service>_<name>`; a name without such a prefix could be any service's, so it is
 * decided on for each.
 */
export function targetsOf(
  name: string,
  serviceNames: readonly string[],
  backends: readonly Backend[],
): Target[] {
  const [only, ...others] = serviceNames;
  if (only === undefined) throw new UnmappableRequest('malformed', 'no service is named');
  if (others.length === 0) return [{ server: serverNamed(backends, only), id: name }];
  const prefixed = serviceNames.filter(
    (service) => name.startsWith(`${service}${separator}`) && name.length > service.length + 1,
  );
  // `a` and `a_b` may both be services: `a_b_c` is then decided on as `b_c` of `a` and as `c` of `a_b`.
  if (prefixed.length > 0) {
    return prefixed.map((service) => ({
      server: serverNamed(backends, service),
      id: name.slice(service.length + 1),
    }));
  }
  return serviceNames.map((service) => ({ server: serverNamed(backends, service), id: name }));
}

export interface ExtMcpRequest {
  serviceNames: readonly string[];
  method: string;
  params: Record<string, unknown> | undefined;
}

/** The evaluations of one request, all of which have to be allowed: one per server that it goes to. */
export function extMcpEvaluations(
  request: ExtMcpRequest,
  caller: Caller,
  backends: readonly Backend[],
): Evaluation[] {
  const { serviceNames, method, params } = request;
  const nameParam = describeAnyMethod(method)?.nameParam;
  const name = nameParam === undefined ? undefined : params?.[nameParam];
  // Server-wide methods name nothing; every server they fan out to is asked about.
  const targets = targetsOf(typeof name === 'string' ? name : '', serviceNames, backends);
  return targets.map(({ server, id }) =>
    mcpEvaluation({
      server,
      caller,
      method,
      params: nameParam === undefined || name === undefined ? params : { ...params, [nameParam]: id },
    }),
  );
}

/** A list in a result, and the evaluations of each of its items, all of which have to be allowed for it to stay. */
export interface FilterableList {
  list: ListDescription;
  items: { evaluations: Evaluation[] }[];
  /** The result with only these items of the list. */
  keep(result: Record<string, unknown>, allowed: readonly boolean[]): Record<string, unknown>;
}

/**
 * What of a result is to be decided on before somebody sees it. Nothing is being called, so nobody knows the arguments: a
 * thing stays listed when there are some with which it could be used.
 */
export function extMcpLists(
  result: Record<string, unknown>,
  serviceNames: readonly string[],
  caller: Caller,
  backends: readonly Backend[],
): FilterableList[] {
  return listedItems(result).map((listed) => {
    const { list, ids } = listed;
    const param = list.idMember;
    // One person and one context for all things of a server, so that they are read once.
    const ofServer = new Map<string, Pick<Evaluation, 'subject' | 'context'>>();
    const ask = ({ server, id }: Target): Evaluation => {
      const one = preview(mcpEvaluation({ server, caller, method: list.usedBy, params: { [param]: id } }));
      const shared = ofServer.get(server) ?? { subject: one.subject, context: one.context };
      ofServer.set(server, shared);
      return { ...one, ...shared };
    };
    return {
      list,
      items: ids.map((name) => ({ evaluations: targetsOf(name, serviceNames, backends).map(ask) })),
      keep: (whole, allowed) => withAllowedItems(whole, listed, allowed),
    };
  });
}

/** Looking at a list spends no budget and asks for no approval; using what is in it does. */
function preview(evaluation: Evaluation): Evaluation {
  const { arguments: _, ...context } = evaluation.context ?? {};
  return { ...evaluation, context: { ...context, preview: true } };
}
