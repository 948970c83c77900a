import type { BehalfConfig } from '@behalf/config';
import {
  addAgentKeyRequestSchema,
  agentListSchema,
  agentSchema,
  agentSecretSchema,
  agentStates,
  changeAgentStateRequestSchema,
  createAgentRequestSchema,
  createDelegationGrantRequestSchema,
  createRevocationRequestSchema,
  delegationGrantListSchema,
  delegationGrantSchema,
  narrowDelegationGrantRequestSchema,
  updateAgentRequestSchema,
} from '@behalf/contracts';
import { type ApiOperation, buildOpenApi } from '@behalf/service-kit';

/** The schemas that the edges parse with and answer by. */
const schemas = {
  Agent: agentSchema,
  AgentList: agentListSchema,
  AgentSecret: agentSecretSchema,
  AddAgentKey: addAgentKeyRequestSchema,
  ChangeAgentState: changeAgentStateRequestSchema,
  CreateAgent: createAgentRequestSchema,
  CreateDelegationGrant: createDelegationGrantRequestSchema,
  DelegationGrant: delegationGrantSchema,
  DelegationGrantList: delegationGrantListSchema,
  Revocation: createRevocationRequestSchema,
  NarrowDelegationGrant: narrowDelegationGrantRequestSchema,
  UpdateAgent: updateAgentRequestSchema,
} as const;
type SchemaName = keyof typeof schemas;

type Operation = ApiOperation<SchemaName>;

const page = [
  { name: 'after', in: 'query', schema: { type: 'string' }, description: '`next` of the page before.' },
  { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 500, default: 100 } },
];
const textQuery = (name: string) => ({ name, in: 'query', schema: { type: 'string' } });

const stateChange = {
  body: 'ChangeAgentState',
  isBodyOptional: true,
  answer: 'Agent',
  ifMatch: 'optional',
} as const;
const operations: Operation[] = [
  {
    method: 'get',
    path: '/agents',
    id: 'listAgents',
    summary: 'Agents, page by page',
    answer: 'AgentList',
    query: [{ name: 'state', in: 'query', schema: { type: 'string', enum: agentStates } }, ...page],
    refusals: [400],
  },
  {
    method: 'post',
    path: '/agents',
    id: 'createAgent',
    summary: 'Registers an agent',
    body: 'CreateAgent',
    answer: 'Agent',
    status: 201,
    refusals: [400, 409],
  },
  {
    method: 'get',
    path: '/agents/{agent}',
    id: 'getAgent',
    summary: 'One agent',
    answer: 'Agent',
    refusals: [404],
  },
  {
    method: 'patch',
    path: '/agents/{agent}',
    id: 'updateAgent',
    summary: 'Replaces what is named',
    body: 'UpdateAgent',
    answer: 'Agent',
    ifMatch: 'required',
    refusals: [400, 404, 409, 412, 428],
  },
  {
    method: 'post',
    path: '/agents/{agent}/keys',
    id: 'addAgentKey',
    summary: 'Adds the next key',
    body: 'AddAgentKey',
    answer: 'Agent',
    ifMatch: 'optional',
    refusals: [400, 404, 409, 412],
  },
  {
    method: 'delete',
    path: '/agents/{agent}/keys/{kid}',
    id: 'removeAgentKey',
    summary: 'Removes a key',
    answer: 'Agent',
    ifMatch: 'optional',
    refusals: [404, 409, 412],
  },
  {
    method: 'post',
    path: '/agents/{agent}/secrets',
    id: 'addAgentSecret',
    summary: 'Makes the next secret, and tells it once',
    answer: 'AgentSecret',
    status: 201,
    ifMatch: 'optional',
    refusals: [404, 409, 412],
  },
  {
    method: 'delete',
    path: '/agents/{agent}/secrets/{id}',
    id: 'removeAgentSecret',
    summary: 'Removes a secret',
    answer: 'Agent',
    ifMatch: 'optional',
    refusals: [404, 409, 412],
  },
  {
    method: 'post',
    path: '/agents/{agent}/suspend',
    id: 'suspendAgent',
    summary: 'Stops an agent, and ends its tokens',
    ...stateChange,
    refusals: [400, 404, 409, 412],
  },
  {
    method: 'post',
    path: '/agents/{agent}/resume',
    id: 'resumeAgent',
    summary: 'Lets a suspended agent act again',
    ...stateChange,
    refusals: [400, 404, 409, 412],
  },
  {
    method: 'post',
    path: '/agents/{agent}/retire',
    id: 'retireAgent',
    summary: 'Ends an agent for good',
    ...stateChange,
    refusals: [400, 404, 412],
  },
  {
    method: 'get',
    path: '/grants',
    id: 'listDelegationGrants',
    summary: 'Who may act for whom, page by page',
    answer: 'DelegationGrantList',
    query: [...['person', 'agent', 'resource'].map(textQuery), ...page],
    refusals: [400],
  },
  {
    method: 'post',
    path: '/grants',
    id: 'createDelegationGrant',
    summary: 'Lets an agent act for a person',
    body: 'CreateDelegationGrant',
    answer: 'DelegationGrant',
    status: 201,
    refusals: [400, 409],
  },
  {
    method: 'get',
    path: '/grants/{grant}',
    id: 'getDelegationGrant',
    summary: 'One grant',
    answer: 'DelegationGrant',
    refusals: [404],
  },
  {
    method: 'patch',
    path: '/grants/{grant}',
    id: 'narrowDelegationGrant',
    summary: 'Takes something out of a grant, and ends the tokens of before',
    body: 'NarrowDelegationGrant',
    answer: 'DelegationGrant',
    ifMatch: 'required',
    refusals: [400, 404, 409, 412, 428],
  },
  {
    method: 'post',
    path: '/grants/{grant}/revoke',
    id: 'revokeDelegationGrant',
    summary: 'Ends a grant, and its tokens',
    answer: 'DelegationGrant',
    ifMatch: 'optional',
    refusals: [404, 412],
  },
  {
    method: 'post',
    path: '/revocations',
    id: 'revoke',
    summary: 'Ends a token, a sign-in, a chain or what a person agreed to, with all that came of it',
    body: 'Revocation',
    answer: 'Revocation',
    refusals: [400],
  },
];

const parameters: Record<string, object> = {
  agent: {
    name: 'agent',
    in: 'path',
    required: true,
    description: 'The id of the agent, percent-encoded, or the last part of an id that was made here.',
    schema: { type: 'string' },
  },
  grant: { name: 'grant', in: 'path', required: true, schema: { type: 'string' } },
  kid: { name: 'kid', in: 'path', required: true, schema: { type: 'string' } },
};

/** The administration in the words of OpenAPI 3.1, made from the schemas that judge it. */
export function adminOpenApi({ authorizationServer }: BehalfConfig): object {
  const { issuer, paths } = authorizationServer;
  return buildOpenApi({
    title: 'Behalf administration',
    url: `${issuer}${paths.admin}`,
    resource: `${issuer}${paths.admin}`,
    tokenUrl: `${issuer}${paths.token}`,
    scope: 'admin',
    schemas,
    operations,
    parameters,
  });
}
