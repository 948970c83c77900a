import { readFile } from 'node:fs/promises';
import {
  type Agent,
  agentListSchema,
  agentSchema,
  type AgentSecret,
  agentSecretSchema,
} from '@behalf/contracts';
import { AdminClient } from '../admin-client.js';
import { UsageError } from '../parse-command.js';
import type { CommandResult } from '../command-result.js';
import { readPublicKeys, withGeneratedKey } from './agent-keys.js';
import { describeAgent, describeAgents, describeSecret } from './describe-agent.js';
import {
  type AgentsCommand,
  type AgentsOptions,
  agentsUsage,
  parseAgentsCommand,
} from './parse-agents-command.js';

/** Runs one `agents` command. @throws UsageError, AdminRefused */
export async function runAgentsCommand(
  args: string[],
  environment: Record<string, string | undefined>,
): Promise<CommandResult> {
  const command = parseAgentsCommand(args);
  const run = commandOf(command);
  const found = await run(await AdminClient.open(command.options, environment));
  const text = Array.isArray(found)
    ? describeAgents(found)
    : 'clientSecret' in found
      ? describeSecret(found)
      : describeAgent(found);
  return { output: command.options.json ? JSON.stringify(found, undefined, 2) : text, failed: false };
}

type Run = (admin: AdminClient) => Promise<Agent | Agent[] | AgentSecret>;

/** What is wrong with a command line is found before anything is asked. */
function commandOf({ name, operands, options }: AgentsCommand): Run {
  const [agent, kid] = operands;
  const path = (): string => `/agents/${encodeURIComponent(required(agent))}`;
  switch (name) {
    case 'create':
      return create(options);
    case 'list':
      return (admin) => list(admin, options.state);
    case 'show': {
      const at = path();
      return (admin) => admin.ask('GET', at, agentSchema);
    }
    case 'suspend':
    case 'resume':
    case 'retire': {
      const at = path();
      const { reason } = options;
      return (admin) =>
        admin.ask('POST', `${at}/${name}`, agentSchema, { ...(reason !== undefined && { reason }) });
    }
    case 'add-key':
      return addKey(path(), options);
    case 'remove-key': {
      const at = `${path()}/keys/${encodeURIComponent(required(kid))}`;
      return (admin) => admin.ask('DELETE', at, agentSchema);
    }
    case 'add-secret': {
      const at = `${path()}/secrets`;
      return (admin) => admin.ask('POST', at, agentSecretSchema);
    }
    case 'remove-secret': {
      const at = `${path()}/secrets/${encodeURIComponent(required(kid))}`;
      return (admin) => admin.ask('DELETE', at, agentSchema);
    }
    default:
      throw new UsageError(agentsUsage);
  }
}

function create(options: AgentsOptions): Run {
  const {
    name,
    owner,
    purpose,
    slug,
    id,
    jwks: file,
    'jwks-uri': jwksUri,
    'generate-key': keyFile,
    credential: credentialFile,
    'bound-tokens': boundTokens,
  } = options;
  const keySources = [file, jwksUri, keyFile, credentialFile].filter((source) => source !== undefined);
  if ([name, owner, purpose].includes(undefined) || keySources.length !== 1)
    throw new UsageError(agentsUsage);
  const depth = options['max-chain-depth'];
  const targets = options['max-targets'];
  const seconds = options['token-seconds'];
  const request = {
    ...(slug !== undefined && { slug }),
    ...(id !== undefined && { id }),
    ...(boundTokens !== undefined && { boundTokens }),
    name,
    owner,
    purpose,
    ceiling: {
      audiences: options.audience,
      scopes: options.scope,
      authorizationDetailsTypes: options['authorization-details-type'],
      impersonation: options.impersonate,
      ...(targets !== undefined && { maxTargets: Number(targets) }),
      ...(depth !== undefined && { maxChainDepth: Number(depth) }),
    },
    lifetimes: { ...(seconds !== undefined && { tokenSeconds: Number(seconds) }) },
  };
  return async (admin) => {
    const register = (keys: object): Promise<Agent> =>
      admin.ask('POST', '/agents', agentSchema, { ...request, ...keys });
    if (keyFile !== undefined) return withGeneratedKey(keyFile, (key) => register({ jwks: { keys: [key] } }));
    if (credentialFile !== undefined)
      return register({ credential: JSON.parse(await readFile(credentialFile, 'utf8')) as unknown });
    return register(file === undefined ? { jwksUri } : { jwks: await readPublicKeys(file) });
  };
}

function addKey(path: string, { 'generate-key': keyFile, key: file }: AgentsOptions): Run {
  if ((keyFile === undefined) === (file === undefined)) throw new UsageError(agentsUsage);
  return async (admin) => {
    const register = (key: object | undefined): Promise<Agent> =>
      admin.ask('POST', `${path}/keys`, agentSchema, { key });
    if (keyFile !== undefined) return withGeneratedKey(keyFile, register);
    const { keys } = await readPublicKeys(required(file));
    if (keys.length !== 1) throw new UsageError('one key at a time');
    return register(keys[0]);
  };
}

async function list(admin: AdminClient, state: string | undefined): Promise<Agent[]> {
  const agents: Agent[] = [];
  for (let after: string | undefined; ;) {
    const query = new URLSearchParams({ ...(state && { state }), ...(after && { after }) });
    const page = await admin.ask('GET', `/agents?${query}`, agentListSchema);
    agents.push(...page.agents);
    if (page.next === undefined) return agents;
    after = page.next;
  }
}

function required(operand: string | undefined): string {
  if (operand === undefined) throw new UsageError(agentsUsage);
  return operand;
}
