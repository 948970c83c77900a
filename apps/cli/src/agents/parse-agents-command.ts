import { adminOptions, adminUsage } from '../admin-client.js';
import { parseGroupCommand } from '../parse-command.js';

export const agentsUsage = `behalf agents <command>

  create --name <text> --owner <who> --purpose <text> --audience <resource> --scope <scope>
         [--slug <name> | --id <https URL>]
         (--generate-key <file> | --jwks <file> | --jwks-uri <URL> | --credential <file>)
         [--bound-tokens dpop|mtls]
         [--max-chain-depth <n>] [--token-seconds <n>] [--authorization-details-type <type>]
         [--impersonate <resource>] [--max-targets <n>]
  list [--state active|suspended|retired]
  show <agent>
  suspend | resume | retire <agent> [--reason <text>]
  add-key <agent> (--generate-key <file> | --key <file>)
  remove-key <agent> <kid>
  add-secret <agent>
  remove-secret <agent> <id>

  An <agent> is its id, or the last part of an id that was made here. --audience, --scope,
  --authorization-details-type and --impersonate may repeat. --generate-key makes a key pair here, keeps the private key in a
  new file that only you can read, and registers the public one. --credential names a file with another way to prove who
  it is, as docs/agents.md describes it. A secret is told once, when it is made.

${adminUsage}`;

export type AgentsCommand = ReturnType<typeof parseAgentsCommand>;
export type AgentsOptions = AgentsCommand['options'];

/** @throws UsageError */
export function parseAgentsCommand(args: string[]) {
  return parseGroupCommand(agentsUsage, args, {
    ...adminOptions,
    name: { type: 'string' },
    owner: { type: 'string' },
    purpose: { type: 'string' },
    slug: { type: 'string' },
    id: { type: 'string' },
    audience: { type: 'string', multiple: true, default: [] },
    scope: { type: 'string', multiple: true, default: [] },
    'authorization-details-type': { type: 'string', multiple: true, default: [] },
    impersonate: { type: 'string', multiple: true, default: [] },
    'max-targets': { type: 'string' },
    'max-chain-depth': { type: 'string' },
    'token-seconds': { type: 'string' },
    'generate-key': { type: 'string' },
    jwks: { type: 'string' },
    'jwks-uri': { type: 'string' },
    credential: { type: 'string' },
    'bound-tokens': { type: 'string' },
    key: { type: 'string' },
    state: { type: 'string' },
    reason: { type: 'string' },
  });
}
