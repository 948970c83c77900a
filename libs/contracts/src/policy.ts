import { z } from 'zod';
import { defineRequest } from './define.js';

const properties = z.record(z.string(), z.json());

/** An AuthZEN subject, or resource. */
const entity = z.object({
  type: z.string().min(1),
  id: z.string().min(1),
  properties: properties.optional(),
});
const action = z.object({ name: z.string().min(1), properties: properties.optional() });

/**
 * One access evaluation. What Behalf adds to AuthZEN stands in `context`:
 * `actors` (the act chain, current actor first), `server`, `arguments`, `client_id`, `scope`, `aud`.
 *
 * @see AuthZEN Authorization API 1.0 §6.1
 */
export const evaluationSchema = z.object({
  subject: entity,
  action,
  resource: entity,
  context: properties.optional(),
});
export type Evaluation = z.infer<typeof evaluationSchema>;

export const obligationTypes = ['step-up', 'approval', 'tool-approval', 'redact'] as const;

/**
 * `step-up` (with a denial: a token with more scope), `approval` (with a denial: a person has to approve),
 * `tool-approval` (with a denial: the changed tool has to be reviewed), `redact` (with a permission: fields to remove
 * from the result).
 *
 * @see AuthZEN obligations profile, draft
 */
export const obligationSchema = z.object({
  id: z.string(),
  type: z.enum(obligationTypes),
  properties,
});
export type Obligation = z.infer<typeof obligationSchema>;

/** @see AuthZEN access request and approval profile, draft */
const accessRequestOfferSchema = z.object({
  /** Absent where the caller knows it: on the bus it is a subject of its own. */
  endpoint: z.string().optional(),
  /** Names the exact call; goes back with the request. */
  binding_token: z.string(),
});

/** Why it was decided so, in one word. */
export const decisionReasonSchema = z.enum([
  'permitted',
  'forbidden',
  'no_matching_permit',
  'policy_error',
  'invalid_request',
  'insufficient_scope',
  'approval_required',
  'budget_exceeded',
  'unsupported_obligation',
  'tool_changed',
  'repeated',
]);

/** The `context` of an answer: enough to explain it, nothing that a caller could not be shown by its operator. */
export const decisionContextSchema = z.looseObject({
  /** Names the decision in logs, spans and audit. */
  id: z.string().optional(),
  /** One word a program can branch on. */
  reason: decisionReasonSchema.optional(),
  /** Ids of the policies that determined the decision. */
  policies: z.array(z.string()).optional(),
  /** Ids of the policies that could not be evaluated. */
  errors: z.array(z.string()).optional(),
  /** Which policy set decided. */
  policy_version: z.string().optional(),
  /** What the caller has to do with this answer; one who does not know a type must deny. */
  obligations: z.array(obligationSchema).optional(),
  /** With `insufficient_scope`: the smallest set of scopes that would do, held or not. */
  scope: z.string().optional(),
  /** With `approval_required`: where approval is asked for. */
  access_request: accessRequestOfferSchema.optional(),
  /** The answer to a question asked with `context.preview`: what could be permitted. Never to be enforced. */
  preview: z.boolean().optional(),
  /** With `preview` and without arguments: what of the policies hangs on them, in Cedar's text form. A hint. */
  residuals: z
    .array(z.object({ policy: z.string(), effect: z.enum(['permit', 'forbid']), when: z.string() }))
    .optional(),
  /** With the permission to use a third party's credential: what opens it, once. Only for services, on the bus. */
  decision_grant: z.string().optional(),
  /** Where in the audit log it is recorded, where the configuration says that answers tell. What a receipt is asked for by. */
  audit_record: z.object({ index: z.number().int().nonnegative(), leaf_hash: z.string() }).optional(),
  /** AuthZEN: why this item of a batch could not be evaluated. */
  error: z.object({ status: z.number(), message: z.string() }).optional(),
});
export type DecisionContext = z.infer<typeof decisionContextSchema>;

export const evaluationDecisionSchema = z.object({
  decision: z.boolean(),
  context: decisionContextSchema.optional(),
});
export type EvaluationDecision = z.infer<typeof evaluationDecisionSchema>;

/** Each item may leave out what the defaults beside it say; a given object replaces the default whole (AuthZEN §7.1). */
export const evaluationsRequestSchema = z.object({
  subject: entity.optional(),
  action: action.optional(),
  resource: entity.optional(),
  context: properties.optional(),
  evaluations: z.array(evaluationSchema.partial()).optional(),
  options: z
    .looseObject({
      evaluations_semantic: z
        .enum(['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'])
        .optional(),
    })
    .optional(),
});
export type EvaluationsRequest = z.infer<typeof evaluationsRequestSchema>;

export const evaluationsDecisionSchema = z.object({ evaluations: z.array(evaluationDecisionSchema) });
export type EvaluationsDecision = z.infer<typeof evaluationsDecisionSchema>;

/** Asks for many at once, e.g. to filter a list of tools. */
export const evaluatePolicyBatch = defineRequest(
  'behalf.policy.evaluations.decide',
  evaluationsRequestSchema,
  evaluationsDecisionSchema,
);

/** The public keys that decision grants are signed with, the present ones and those that may still come. */
export const listDecisionGrantKeys = defineRequest(
  'behalf.policy.decision-grant-keys.list',
  z.object({}),
  z.object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string() })) }),
  { repeatable: (question) => question },
);
