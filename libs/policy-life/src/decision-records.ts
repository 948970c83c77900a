import type { Evaluation, EvaluationDecision } from '@behalf/contracts';
import { evaluationSchema } from '@behalf/contracts';
import { canonicalJson } from '@behalf/policy';
import type { NewRecord, RecordKind, StoredRecord } from '@behalf/ports';
import { type KeyEncryptionKey, SealingError, open, seal } from '@behalf/sealing';
import { hash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { RecordedDecision } from './replay-decisions.js';

/** What is kept of a decision outside the seal: names, digests and reasons, and no argument. */
const decisionSchema = z.object({
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
});
export type KeptDecision = z.infer<typeof decisionSchema>;

const batchSchema = z.object({
  decisions: z.array(decisionSchema),
  /** The evaluations, sealed for this record: replay needs them, and nobody else does. */
  sealed: z.string(),
});
export type DecisionBatch = z.infer<typeof batchSchema>;

/** What was decided, for as long as the retention says; what was decided together stands together. Ids grow with time. */
export const decisionBatches: RecordKind<DecisionBatch> = {
  name: 'policy-decision-batch',
  schema: batchSchema,
};

const formerSchema = decisionSchema.extend({ sealed: z.string() });

/** As versions before wrote it, a record for each decision. Read until the last of them has expired. */
export const formerDecisions: RecordKind<z.infer<typeof formerSchema>> = {
  name: 'policy-decision',
  schema: formerSchema,
};

export interface Decided {
  evaluation: Evaluation;
  answer: EvaluationDecision;
  caller: string | undefined;
  decidedAtMs: number;
  latencyMicros: number;
  traceId: string | undefined;
}

/** Inputs of one record. Arguments can be a megabyte, and a record that holds hundreds of those nobody could read. */
const maxInputBytes = 1024 * 1024;

/** The records of decisions: one for all of them, or a few when their inputs are large. */
export async function sealDecisions(
  decided: readonly Decided[],
  kek: KeyEncryptionKey,
  retentionMs: number,
): Promise<NewRecord<DecisionBatch>[]> {
  const batches: { inputs: string[]; decisions: KeptDecision[]; bytes: number }[] = [];
  for (const one of decided.toSorted((a, b) => a.decidedAtMs - b.decidedAtMs)) {
    const input = spellInputs(one);
    let batch = batches.at(-1);
    if (batch === undefined || batch.bytes + input.length > maxInputBytes)
      batches.push((batch = { inputs: [], decisions: [], bytes: 0 }));
    batch.inputs.push(input);
    batch.decisions.push(describe(one, input));
    batch.bytes += input.length;
  }
  return Promise.all(
    batches.map(async ({ inputs, decisions }) => {
      const [first, last] = [decisions.at(0), decisions.at(-1)];
      const id = `${String(first?.decidedAtMs).padStart(15, '0')}-${randomUUID()}`;
      const sealed = await seal(kek, Buffer.from(`[${inputs.join()}]`), sealedFor(id));
      return { id, value: { decisions, sealed }, expiresAtMs: (last?.decidedAtMs ?? 0) + retentionMs };
    }),
  );
}

/** Few arguments are secret enough to survive guessing: the salt, which is under the seal, makes the digest say nothing. */
function spellInputs({ evaluation, answer }: Decided): string {
  return canonicalJson({ decisionId: answer.context?.id ?? '', salt: randomUUID(), evaluation });
}

function describe(decided: Decided, inputs: string): KeptDecision {
  const { evaluation, answer, caller, decidedAtMs, latencyMicros, traceId } = decided;
  const { subject, action, resource, context } = evaluation;
  const { id: decisionId = '', reason, policies = [], errors = [], policy_version } = answer.context ?? {};
  const server = resource.properties?.['server'] ?? context?.['server'];
  const isUri = resource.type === 'resource_uri';
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
  };
}

const inputsSchema = z.object({ decisionId: z.string(), evaluation: evaluationSchema });

/** @throws SealingError, also when the inputs are those of other decisions than the record names */
export async function openDecisions(
  { id, value }: StoredRecord<DecisionBatch>,
  kek: KeyEncryptionKey,
): Promise<RecordedDecision[]> {
  const text = Buffer.from(await open(kek, value.sealed, sealedFor(id))).toString('utf8');
  const inputs = z.array(inputsSchema).parse(JSON.parse(text));
  if (inputs.length !== value.decisions.length) throw new SealingError('not_authentic');
  return value.decisions.map(({ decisionId, decision, decidedAtMs }, place) => {
    const input = inputs[place];
    if (input?.decisionId !== decisionId) throw new SealingError('not_authentic');
    return { decisionId, decision, decidedAtMs, evaluation: input.evaluation };
  });
}

/** @throws SealingError */
export async function openFormerDecision(
  { value: { decisionId, decision, decidedAtMs, sealed } }: StoredRecord<z.infer<typeof formerSchema>>,
  kek: KeyEncryptionKey,
): Promise<RecordedDecision> {
  const text = await open(kek, sealed, { kind: formerDecisions.name, id: decisionId });
  const { evaluation } = z
    .object({ evaluation: evaluationSchema })
    .parse(JSON.parse(Buffer.from(text).toString('utf8')));
  return { decisionId, decision, decidedAtMs, evaluation };
}

function sealedFor(id: string): Record<string, string> {
  return { kind: decisionBatches.name, id };
}
