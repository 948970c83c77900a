/**
 * Agents as identities of their own: who answers for one, by which keys it is known, the most it may be given, and
 * whether it may act at all. One command per operation, each of them one transaction. How an agent authenticates is the
 * token endpoint's (`@behalf/adapter-oidc-provider`), what it may do for a person `@behalf/token-exchange`'s.
 */
export { agentRecords } from './agent-records.js';
export { AgentRefusal, type AgentRefusalReason, agentRefusalToOAuthError } from './agent-refusal.js';
export { createAgent } from './create-agent.js';
export { updateAgent } from './update-agent.js';
export { addKey } from './add-key.js';
export { removeKey } from './remove-key.js';
export { addSecret, findSecretHashes, removeSecret } from './agent-secrets.js';
export { findBySpiffeId, findByWorkload, isWorkloadOf } from './find-by-credential.js';
export { trustDomainOf } from './validate-credential.js';
export { suspendAgent } from './suspend-agent.js';
export { resumeAgent } from './resume-agent.js';
export { retireAgent } from './retire-agent.js';
export { findAgent, getAgent } from './get-agent.js';
export { listAgents } from './list-agents.js';
export { agentDocument, agentMetadata } from './agent-metadata.js';
export { buildAgentId } from './agent-id.js';
export type { Act, AgentDependencies, AgentRevocation, Target } from './ports.js';
