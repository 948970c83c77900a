import { z } from 'zod';
import { defineRequest } from './define.js';
import { evaluationSchema } from './policy.js';

const policyFiles = z.array(z.object({ file: z.string(), text: z.string() })).max(1_000);
const version = z.string().regex(/^[0-9a-f]{64}$/);
const reason = z.string().min(1).max(1_000);

export const policyProblemSchema = z.object({
  severity: z.enum(['error', 'warning']),
  file: z.string().optional(),
  policy: z.string().optional(),
  reason: z.string(),
});

/** `POST admin/policy/bundles` */
export const publishRequestSchema = z.object({
  files: policyFiles,
  reason,
  /** The version that the author saw deciding. */
  expectedVersion: version.optional(),
});
/** `POST admin/policy/rollback`; without a version the one before the live one. */
export const rollbackRequestSchema = z.object({ version: version.optional(), reason });
export const changeAnswerSchema = z.object({
  version,
  replaced: version.optional(),
  warnings: z.array(policyProblemSchema),
});

/** `GET admin/policy/bundles` */
export const bundleListSchema = z.object({
  live: z.string().nullable(),
  shadow: z.string().nullable(),
  activations: z.array(
    z.object({
      version: z.string(),
      replaced: z.string().optional(),
      act: z.string(),
      author: z.string(),
      reason: z.string(),
      activatedAtMs: z.number(),
    }),
  ),
});

/** `POST admin/policy/check`, `diff` */
export const candidateRequestSchema = z.object({ files: policyFiles });
export const checkAnswerSchema = z.object({
  version: z.string().optional(),
  problems: z.array(policyProblemSchema),
});
export const diffAnswerSchema = z.object({
  added: z.array(z.string()),
  removed: z.array(z.string()),
  changed: z.array(z.object({ policy: z.string(), before: z.string(), after: z.string() })),
  schemaChanged: z.boolean(),
  entitiesChanged: z.boolean(),
});

/** `POST admin/policy/replay` */
export const replayRequestSchema = candidateRequestSchema.extend({
  limit: z.int().min(1).max(100_000).optional(),
});
const outcome = z.enum(['permitted', 'conditional', 'denied']);
const counts = z.array(z.tuple([z.string(), z.number()]));
export const replayAnswerSchema = z.object({
  replayed: z.number(),
  flipped: z.number(),
  toDenied: z.number(),
  toConditional: z.number(),
  toPermitted: z.number(),
  people: counts,
  tools: counts,
  examples: z.array(
    z.object({
      decisionId: z.string(),
      person: z.string(),
      resource: z.string(),
      action: z.string(),
      from: outcome,
      to: outcome,
      policies: z.array(z.string()),
    }),
  ),
});

/** `PUT admin/policy/shadow`; without files there is none. */
export const shadowRequestSchema = z.object({ files: policyFiles.optional() });
export const shadowAnswerSchema = z.object({
  version: z.string().nullable(),
  compared: z.number(),
  different: z.number(),
});

/** `PUT admin/policy/tool-pins` */
export const toolPinRequestSchema = z.object({
  server: z.string().min(1),
  tool: z.string().min(1),
  hash: z.string().regex(/^sha256:[0-9a-f]{64}$/),
});

/**
 * `POST access/v1/access-request`: asks a person to approve the call of this evaluation.
 *
 * @see AuthZEN access request and approval profile, draft
 */
export const accessRequestSubmissionSchema = z.object({
  evaluation: evaluationSchema,
  denial: z.object({ binding_token: z.string() }),
});
export const accessRequestTaskSchema = z.object({
  task: z.object({
    id: z.string(),
    status: z.enum(['pending', 'approved', 'denied', 'expired']),
    status_endpoint: z.string(),
    form_url: z.string().optional(),
    expires_at: z.string(),
  }),
});

/** The same on the bus, where the caller says which service it is. */
export const requestAccess = defineRequest(
  'behalf.policy.access-request.create',
  accessRequestSubmissionSchema.extend({ caller: z.string().min(1) }),
  accessRequestTaskSchema,
);
export const readAccessRequest = defineRequest(
  'behalf.policy.access-request.read',
  z.object({ id: z.string().min(1), caller: z.string().min(1) }),
  accessRequestTaskSchema,
  { repeatable: (question) => question },
);

/** `POST approvals/:id` */
export const approvalDecisionSchema = z.object({
  approve: z.boolean(),
  note: z.string().max(1_000).optional(),
});
