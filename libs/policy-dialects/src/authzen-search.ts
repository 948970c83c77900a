import {
  type Evaluation,
  type EvaluationDecision,
  type EvaluationsDecision,
  type EvaluationsRequest,
  evaluationSchema,
} from '@behalf/contracts';
import { z } from 'zod';
import { type KnownEntities, type SearchResult, searchCandidates } from './search-candidates.js';
import { type PageRequest, pageSchema, readPage, writeToken } from './search-page.js';
import { UnmappableRequest } from './unmappable-request.js';

export type SearchKind = 'subject' | 'resource' | 'action';

/** Asked about at a time, so that a long search does not hold back other callers' answers. */
const chunk = 200;

const { subject, action, resource, context } = evaluationSchema.shape;
const anyId = { id: z.unknown().optional() };
const schemas = {
  subject: z.object({ subject: subject.extend(anyId), action, resource, context, page: pageSchema }),
  resource: z.object({ subject, action, resource: resource.extend(anyId), context, page: pageSchema }),
  action: z.object({ subject, resource, context, page: pageSchema }),
} satisfies Record<SearchKind, z.ZodType>;

export interface SearchDependencies {
  known: KnownEntities;
  /** Resource types besides MCP's, and the Cedar type of each. */
  resourceTypes: Readonly<Record<string, string>>;
  /** Answers every evaluation, in order. */
  decide: (request: EvaluationsRequest) => Promise<EvaluationsDecision>;
}

export interface SearchAnswer {
  results: SearchResult[];
  page: { next_token: string; count: number };
}

/**
 * Finds every known subject, resource or action that completes the request to one that is permitted. Known is what the
 * policies and their entities name: a person whom only tokens know is not found. An id in place of what is searched
 * for is ignored, an unknown type or id finds nothing.
 *
 * @throws UnmappableRequest `malformed`: the request, or a page token of another request
 * @see AuthZEN Authorization API 1.0 §8
 */
export async function search(
  kind: SearchKind,
  body: unknown,
  { known, resourceTypes, decide }: SearchDependencies,
): Promise<SearchAnswer> {
  const parsed = schemas[kind].safeParse(body);
  if (!parsed.success) {
    const places = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.') || 'the body'))];
    throw new UnmappableRequest('malformed', `missing or malformed: ${places.slice(0, 5).join(', ')}`);
  }
  const { page, ...request } = parsed.data as Partial<Evaluation> & { page: PageRequest };
  const { limit, after, digest } = readPage(page, [kind, withoutSearched(kind, request)]);
  const candidates = searchCandidates(kind, preview(request), known, resourceTypes).filter(
    ({ key }) => after === undefined || key > after,
  );

  const found: { key: string; result: SearchResult }[] = [];
  // One more than fits, to know whether there is another page.
  for (let start = 0; start < candidates.length && found.length <= limit; start += chunk) {
    const part = candidates.slice(start, start + chunk);
    const { evaluations } = await decide({ evaluations: part.map(({ evaluation }) => evaluation) });
    found.push(...part.filter((_, index) => isPermitted(evaluations[index])));
  }
  const shown = found.slice(0, limit);
  const last = shown.at(-1)?.key ?? after;
  return {
    results: shown.map(({ result }) => result),
    page: {
      next_token: found.length > limit ? writeToken({ digest, limit, after: last }) : '',
      count: shown.length,
    },
  };
}

/** Permits with obligations count: the answer says who may, and the evaluation says under what obligations. */
function isPermitted(answer: EvaluationDecision | undefined): boolean {
  return answer?.decision === true;
}

function withoutSearched(kind: SearchKind, request: Partial<Evaluation>): unknown {
  if (kind === 'action') return request;
  const { id: _ignored, ...rest } = request[kind] ?? {};
  return { ...request, [kind]: rest };
}

/**
 * A search spends no budget: it asks what could be permitted. Without arguments in the context that is what some
 * arguments could have permitted.
 */
function preview(evaluation: Partial<Evaluation>): Partial<Evaluation> {
  return { ...evaluation, context: { ...evaluation.context, preview: true } };
}
