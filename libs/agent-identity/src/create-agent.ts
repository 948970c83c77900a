import { type Agent, agentCreated, type AgentRecord, type CreateAgentRequest } from '@behalf/contracts';
import { RecordConflict } from '@behalf/ports';
import { buildAgentId, checkExternalAgentId } from './agent-id.js';
import { agentRecords } from './agent-records.js';
import { AgentRefusal } from './agent-refusal.js';
import { findAgent } from './get-agent.js';
import type { Act, AgentDependencies } from './ports.js';
import { checkCredentialFree, validateCredential } from './validate-credential.js';
import { checkKeysAt, validateKeys } from './validate-keys.js';

/**
 * Registers an agent, active from now on. Its record and the event that tells of it commit together.
 *
 * An id is given once: neither a configured client's nor that of an agent of any state, retired ones included.
 *
 * @throws AgentRefusal
 */
export async function createAgent(
  request: CreateAgentRequest,
  { by, nowMs }: Act,
  dependencies: AgentDependencies,
): Promise<Agent> {
  const { id: externalId, slug, jwks, jwksUri, credential, boundTokens, ...described } = request;
  if (externalId !== undefined) checkExternalAgentId(externalId, dependencies);
  const id = externalId ?? buildAgentId(slug ?? dependencies.newId(), dependencies);
  if (dependencies.isConfiguredClient(id)) throw new AgentRefusal({ kind: 'id_taken' });
  if (jwksUri !== undefined) await checkKeysAt(jwksUri, dependencies);

  const record: AgentRecord = {
    ...described,
    ...(jwks && { jwks: { keys: await validateKeys(jwks.keys) } }),
    ...(jwksUri !== undefined && { jwksUri }),
    ...(credential && { credential: validateCredential(credential, dependencies) }),
    ...(boundTokens && { boundTokens }),
    state: 'active',
    stateSinceMs: nowMs,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  try {
    return await dependencies.records.transaction(async (transaction) => {
      if (record.credential) await checkCredentialFree(record.credential, id, transaction);
      const version = await transaction.put(agentRecords, id, record, { expectedVersion: 0 });
      await transaction.emit(agentCreated, { id, version, state: record.state, by, changed: [] });
      return { id, version, ...record };
    });
  } catch (error) {
    // A store may also report that it could not tell whose write was first.
    if (!(error instanceof RecordConflict) || !(await findAgent(dependencies.records, id))) throw error;
    throw new AgentRefusal({ kind: 'id_taken' });
  }
}
