import { type DelegationGrant, delegationGrantListSchema, delegationGrantSchema } from '@behalf/contracts';
import { AdminClient } from '../admin-client.js';
import { UsageError } from '../parse-command.js';
import type { CommandResult } from '../command-result.js';
import { describeGrant, describeGrants } from './describe-grant.js';
import {
  type GrantsCommand,
  type GrantsOptions,
  grantsUsage,
  parseGrantsCommand,
} from './parse-grants-command.js';

type Run = (admin: AdminClient) => Promise<DelegationGrant | DelegationGrant[]>;

/** Runs one `grants` command. @throws UsageError, AdminRefused */
export async function runGrantsCommand(
  args: string[],
  environment: Record<string, string | undefined>,
): Promise<CommandResult> {
  const command = parseGrantsCommand(args);
  const run = commandOf(command);
  const found = await run(await AdminClient.open(command.options, environment));
  const text = Array.isArray(found) ? describeGrants(found) : describeGrant(found);
  return { output: command.options.json ? JSON.stringify(found, undefined, 2) : text, failed: false };
}

/** What is wrong with a command line is found before anything is asked. */
function commandOf({ name, operands: [id], options }: GrantsCommand): Run {
  const path = (): string => {
    if (id === undefined) throw new UsageError(grantsUsage);
    return `/grants/${encodeURIComponent(id)}`;
  };
  switch (name) {
    case 'create':
      return create(options);
    case 'list':
      return (admin) => list(admin, options);
    case 'show': {
      const at = path();
      return (admin) => admin.ask('GET', at, delegationGrantSchema);
    }
    case 'narrow':
      return narrow(path(), options);
    case 'revoke': {
      const at = `${path()}/revoke`;
      return (admin) => admin.ask('POST', at, delegationGrantSchema);
    }
    default:
      throw new UsageError(grantsUsage);
  }
}

function create({ person, agent, resource, scope: scopes, purpose, seconds }: GrantsOptions): Run {
  if ([person, agent, resource, purpose].includes(undefined) || scopes.length === 0)
    throw new UsageError(grantsUsage);
  const lifetime = seconds === undefined ? {} : { lifetimeSeconds: Number(seconds) };
  const wanted = { person, agent, resource, scopes, purpose, ...lifetime };
  return (admin) => admin.ask('POST', '/grants', delegationGrantSchema, wanted);
}

function narrow(path: string, { scope: scopes, until }: GrantsOptions): Run {
  const expiresAtMs = until === undefined ? undefined : Date.parse(until);
  if (Number.isNaN(expiresAtMs) || (scopes.length === 0 && until === undefined))
    throw new UsageError(grantsUsage);
  const changes = { ...(scopes.length > 0 && { scopes }), ...(expiresAtMs !== undefined && { expiresAtMs }) };
  return (admin) => admin.ask('PATCH', path, delegationGrantSchema, changes, { 'if-match': '*' });
}

async function list(
  admin: AdminClient,
  { person, agent, resource }: GrantsOptions,
): Promise<DelegationGrant[]> {
  const grants: DelegationGrant[] = [];
  for (let after: string | undefined; ;) {
    const query = new URLSearchParams({
      ...(person !== undefined && { person }),
      ...(agent !== undefined && { agent }),
      ...(resource !== undefined && { resource }),
      ...(after !== undefined && { after }),
    });
    const page = await admin.ask('GET', `/grants?${query}`, delegationGrantListSchema);
    grants.push(...page.grants);
    if (page.next === undefined) return grants;
    after = page.next;
  }
}
