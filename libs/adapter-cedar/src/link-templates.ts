import type { EntityOrSlotJson, PolicyJson, ScopeJson, UidJson } from '@behalf/cedar-evaluator';
import { type PolicyProblem, cedarString } from '@behalf/policy';
import type { TemplateLink } from '@cedar-policy/cedar-wasm/nodejs';
import { z } from 'zod';
import type { SplitPolicy } from './split-policies.js';

const linksFile = 'links.json';
/** The type is written into policy text, where nothing but a name may come. The id goes through quotes. */
const uid = z.strictObject({
  type: z.string().regex(/^[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*$/),
  id: z.string().refine((id) => id.isWellFormed()),
});
const slotNames = ['?principal', '?resource'] as const;

/** The form that Cedar gives to links in policy sets. @see https://docs.cedarpolicy.com/policies/json-format.html */
const linksSchema = z
  .array(
    z.strictObject({
      templateId: z.string().min(1),
      newId: z.string().min(1),
      values: z.partialRecord(z.enum(slotNames), uid),
    }),
  )
  .max(100_000);

export type Link = z.output<typeof linksSchema>[number];

export interface LinkedPolicies {
  /** One policy for each link, with what the link says in place of the slots. */
  policies: SplitPolicy[];
  links: TemplateLink[];
  problems: PolicyProblem[];
}

/**
 * The policies that the links of a bundle make of its templates. A link has to name a template, and to say every slot of it
 * and no other; a template that nothing links is a warning. Conditions and duties (annotations) are the template's.
 *
 * Does not check that ids are unique, nor types: that is Cedar's validation.
 */
export function linkTemplates(templates: readonly SplitPolicy[], given: unknown): LinkedPolicies {
  const parsed = linksSchema.safeParse(given ?? []);
  if (!parsed.success) {
    const places = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.') || 'the list'))];
    const reason = `missing or malformed: ${places.slice(0, 5).join(', ')}`;
    return { policies: [], links: [], problems: [problem(reason)] };
  }
  const byId = new Map(templates.map((template) => [template.id, template]));
  const problems: PolicyProblem[] = [];
  const policies: SplitPolicy[] = [];
  for (const link of parsed.data) {
    const template = byId.get(link.templateId);
    const fault = template === undefined ? 'there is no such template' : faultOf(template, link);
    if (fault === undefined) policies.push(linked(template!, link));
    else problems.push({ ...problem(`${link.templateId}: ${fault}`), policy: link.newId });
  }
  const used = new Set(parsed.data.map(({ templateId }) => templateId));
  for (const { id, file } of templates)
    if (!used.has(id))
      problems.push({ severity: 'warning', file, policy: id, reason: 'the template is linked by nothing' });
  return { policies, links: parsed.data, problems };
}

function faultOf({ json }: SplitPolicy, { values }: Link): string | undefined {
  const slots = [slotOf(json.principal), slotOf(json.resource)].filter((slot) => slot !== undefined);
  for (const name of slotNames) {
    if (slots.includes(name) && values[name] === undefined) return `${name} is not given`;
    if (!slots.includes(name) && values[name] !== undefined) return `has no ${name}`;
  }
  return undefined;
}

function slotOf(scope: ScopeJson): string | undefined {
  const named = scope.op === 'is' ? scope.in : scope;
  return named !== undefined && 'slot' in named ? named.slot : undefined;
}

function linked({ effect, file, text, json }: SplitPolicy, { newId, values }: Link): SplitPolicy {
  const annotations = { ...(json as { annotations?: Record<string, string> }).annotations, id: newId };
  const filled: PolicyJson = {
    ...json,
    principal: fillScope(json.principal, values),
    resource: fillScope(json.resource, values),
  };
  return {
    id: newId,
    effect,
    file,
    text: fillText(text, newId, values),
    json: { ...filled, annotations } as PolicyJson,
  };
}

function fillScope(scope: ScopeJson, values: Link['values']): ScopeJson {
  if (scope.op === 'All') return scope;
  if (scope.op === 'is') return scope.in === undefined ? scope : { ...scope, in: fillSlot(scope.in, values) };
  const filled = fillSlot(scope, values);
  return scope.op === '==' ? { op: '==', ...filled } : { op: 'in', ...filled };
}

function fillSlot(named: EntityOrSlotJson, values: Link['values']): { entity: UidJson } {
  if ('entity' in named) return { entity: named.entity };
  return { entity: values[named.slot as keyof Link['values']] as UidJson };
}

/** Texts and comments are matched to be passed over; the `@id` is replaced where it is an annotation. */
const token =
  /@\s*id\s*\(\s*"(?:[^"\\]|\\[^])*"\s*\)|"(?:[^"\\]|\\[^])*"|\/\/[^\n]*|\?(?:principal|resource)\b/g;

function fillText(text: string, newId: string, values: Link['values']): string {
  return text.replace(token, (one) => {
    if (one.startsWith('@')) return `@id(${cedarString(newId)})`;
    const value = one.startsWith('?') ? values[one as keyof Link['values']] : undefined;
    return value === undefined ? one : `${value.type}::${cedarString(value.id)}`;
  });
}

function problem(reason: string): PolicyProblem {
  return { severity: 'error', file: linksFile, reason };
}
