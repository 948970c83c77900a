import {
  type Evaluation,
  type EvaluationsRequest,
  evaluationSchema,
  evaluationsRequestSchema,
} from '@behalf/contracts';
import { coazDefaultMapping } from './coaz-defaults.js';
import { CoazError } from './coaz-error.js';
import { resolveTemplate } from './coaz-template.js';
import { isNotification } from './mcp-call.js';

export interface CoazInput {
  method: string;
  params: Record<string, unknown> | undefined;
  /** The claims of the access token, verified by the caller. */
  token: Record<string, unknown>;
  /** `x-authzen-mapping` of the tool that is called, when its `inputSchema` has one. */
  declared?: unknown;
  /** This server's own resource identifier; needed where the token has several audiences. */
  serverResource?: string | undefined;
  /** The claim that names the person, where it is not `sub`. */
  subjectClaim?: string | undefined;
}

export type CoazRequest =
  /** Not decided on: `ping` and notifications. */
  | { kind: 'pass' }
  | { kind: 'evaluation'; request: Evaluation }
  | { kind: 'evaluations'; request: EvaluationsRequest };

/**
 * Maps an MCP request to the AuthZEN request that decides it, by the tool's declared mapping or else the method's
 * default. The subject of the answer is always the person of the token: the mapping is written by the server, which is
 * the party that is being authorized, so one that names anybody else is refused rather than warned about.
 *
 * Does not verify the token, nor decide anything. A mapping with `evaluations` is permitted when all of them are.
 *
 * @throws CoazError -32602 when the mapping cannot be applied, -32001 for a method that has none
 * @see COAZ Binding for MCP 1.0 (draft 1), "PEP Behavior"
 */
export function mapCoazRequest(input: CoazInput): CoazRequest {
  const { method, params = {}, token, declared, serverResource, subjectClaim = 'sub' } = input;
  if (method === 'ping' || isNotification(method)) return { kind: 'pass' };
  const mapping =
    declared === undefined || method !== 'tools/call' ? coazDefaultMapping(method, params) : declared;
  if (mapping === undefined) throw new CoazError('denied', 'the method has no mapping');

  const [envelope, template, ...others] = isObject(mapping) ? Object.entries(mapping).flat() : [];
  if (others.length > 0 || (envelope !== 'evaluation' && envelope !== 'evaluations') || !isObject(template))
    throw new CoazError('mapping', 'the mapping has no single envelope');
  const person = token[subjectClaim];
  if (typeof person !== 'string' || person === '')
    throw new CoazError('mapping', 'the token names no person');

  const claims = { ...token, aud: audienceOf(token['aud'], serverResource) };
  const resolved = resolveTemplate(template, { params, token: withoutAbsent(claims) });
  if (!isObject(resolved)) throw new CoazError('mapping', 'the mapping is not an object');
  const request = { ...resolved, subject: anchored(resolved['subject'], person) };
  checkNoPreview(request);
  if (envelope === 'evaluation') return { kind: 'evaluation', request: parsed(evaluationSchema, request) };

  const items = resolved['evaluations'];
  if (!Array.isArray(items) || items.length === 0)
    throw new CoazError('mapping', 'the mapping has no evaluations');
  // Identity smuggling: one item of many that is decided for somebody else.
  if (items.some((item) => !isObject(item) || Object.hasOwn(item, 'subject')))
    throw new CoazError('mapping', 'an evaluation names a subject of its own');
  for (const item of items) checkNoPreview(item as Record<string, unknown>);
  // The mapping's author must not choose a semantic under which one permit is enough.
  const { options: _ignored, ...all } = request as Record<string, unknown>;
  const checked = parsed(evaluationsRequestSchema, all);
  for (const item of checked.evaluations ?? []) parsed(evaluationSchema, { ...checked, ...item });
  return { kind: 'evaluations', request: checked };
}

/** A preview says what could be permitted once conditions are met; a server must not have its calls decided by one. */
function checkNoPreview({ context }: Record<string, unknown>): void {
  if (isObject(context) && Object.hasOwn(context, 'preview'))
    throw new CoazError('mapping', 'the mapping asks for a preview');
}

function anchored(subject: unknown, person: string): Record<string, unknown> {
  if (subject === undefined) return { type: 'identity', id: person };
  if (!isObject(subject)) throw new CoazError('mapping', 'the subject is not an object');
  const { type = 'identity', id = person } = subject;
  if (id !== person) throw new CoazError('mapping', 'the subject is not the person of the token');
  return { ...subject, type, id };
}

/** One text that names this server; absent when it cannot be told which of several it is. */
function audienceOf(aud: unknown, serverResource: string | undefined): unknown {
  if (serverResource !== undefined) {
    const named = Array.isArray(aud) ? aud.includes(serverResource) : aud === serverResource;
    return named ? serverResource : undefined;
  }
  return Array.isArray(aud) ? (aud.length === 1 ? aud[0] : undefined) : aud;
}

function withoutAbsent(claims: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

function parsed<T>(
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false } },
  value: unknown,
): T {
  const result = schema.safeParse(value);
  if (!result.success) throw new CoazError('mapping', 'the mapping makes no complete evaluation');
  return result.data;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
