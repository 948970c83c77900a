import type { Evaluation, EvaluationDecision } from '@behalf/contracts';
import { evaluationSchema } from '@behalf/contracts';
import { canonicalJson } from '@behalf/policy';
import type { RecordKind, StoredRecord } from '@behalf/ports';
import { type KeyEncryptionKey, open, seal } from '@behalf/sealing';
import { hash, randomUUID } from 'node:crypto';
import { z } from 'zod';

const decisionRecordSchema = z.object({
  decisionId: z.string(),
  decidedAtMs: z.number().int(),
  decision: z.boolean(),
  reason: z.string().optional(),
  policies: z.array(z.string()),
  errors: z.array(z.string()),
  policyVersion: z.string().optional(),
  latencyMicros: z.number().int().nonnegative(),
  traceId: z.string().optional(),
  caller: z.string().optional(),
  person: z.string(),
  action: z.string(),
  /** Type and id; the URI of an MCP resource is left out, since it holds what an argument may. */
  resource: z.string(),
  server: z.string().optional(),
  inputsDigest: z.string(),
  /** The evaluation itself, sealed for this record: replay needs it, and nobody else does. */
  sealed: z.string(),
});
export type DecisionRecord = z.infer<typeof decisionRecordSchema>;

/** What was decided, for as long as the retention says. Ids grow with time. */
export const decisions: RecordKind<DecisionRecord> = {
  name: 'policy-decision',
  schema: decisionRecordSchema,
  keys: ({ decision, decisionId }) => ({ decision: String(decision), decisionId }),
};

/** Orders by time, whatever the id is. */
export function decisionRecordId(decidedAtMs: number, decisionId: string): string {
  return `${String(decidedAtMs).padStart(15, '0')}-${decisionId}`;
}

export interface Decided {
  evaluation: Evaluation;
  answer: EvaluationDecision;
  caller: string | undefined;
  decidedAtMs: number;
  latencyMicros: number;
  traceId: string | undefined;
}

/** The record of a decision. Outside the seal there are names, digests and reasons, and no argument. */
export async function buildDecisionRecord(decided: Decided, kek: KeyEncryptionKey): Promise<DecisionRecord> {
  const { evaluation, answer, caller, decidedAtMs, latencyMicros, traceId } = decided;
  const { subject, action, resource, context } = evaluation;
  const { id: decisionId = '', reason, policies = [], errors = [], policy_version } = answer.context ?? {};
  const server = resource.properties?.['server'] ?? context?.['server'];
  const isUri = resource.type === 'resource_uri';
  // Few arguments are secret enough to survive guessing: the salt, which is under the seal, makes the digest say nothing.
  const inputs = canonicalJson({ salt: randomUUID(), evaluation });
  return {
    decisionId,
    decidedAtMs,
    decision: answer.decision,
    ...(reason !== undefined && { reason }),
    policies,
    errors,
    ...(policy_version !== undefined && { policyVersion: policy_version }),
    latencyMicros,
    ...(traceId !== undefined && { traceId }),
    ...(caller !== undefined && { caller }),
    person: subject.id,
    action: action.name,
    resource: isUri ? resource.type : `${resource.type}:${resource.id}`,
    ...(typeof server === 'string' && { server }),
    inputsDigest: `sha256:${hash('sha256', inputs)}`,
    sealed: await seal(kek, Buffer.from(inputs), sealedFor(decisionId)),
  };
}

/** @throws SealingError */
export async function openDecisionRecord(
  { value }: StoredRecord<DecisionRecord>,
  kek: KeyEncryptionKey,
): Promise<Evaluation> {
  const text = Buffer.from(await open(kek, value.sealed, sealedFor(value.decisionId))).toString('utf8');
  return z.object({ evaluation: evaluationSchema }).parse(JSON.parse(text)).evaluation;
}

function sealedFor(decisionId: string): Record<string, string> {
  return { kind: 'policy-decision', id: decisionId };
}
