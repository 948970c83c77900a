import {
  type ConnectionHealth,
  connectionHealthListSchema,
  endedConnectionListSchema,
  endedConnectionSchema,
  plantedDecoySchema,
  rewrapRunSchema,
} from '@behalf/contracts';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { AdminClient } from '../admin-client.js';
import { UsageError } from '../parse-command.js';
import type { CommandOutcome, CommandResult } from '../command-result.js';
import { describeConnections, describeEnded } from './describe-connections.js';
import {
  type VaultCommand,
  type VaultOptions,
  parseVaultCommand,
  vaultUsage,
} from './parse-vault-command.js';

const tokensSchema = z.strictObject({ accessToken: z.string().min(1), refreshToken: z.string().min(1) });
/** Of a hundred connections each. */
const maxBatches = 100_000;

/** Runs one `vault` command. @throws UsageError, AdminRefused */
export async function runVaultCommand(
  args: string[],
  environment: Record<string, string | undefined>,
): Promise<CommandResult> {
  const command = parseVaultCommand(args);
  const run = commandOf(command);
  const { options } = command;
  const url = options.url ?? environment['BEHALF_CONNECTIONS_URL'] ?? 'http://localhost:4001';
  const adminUrl = options['admin-url'] ?? `${url}/admin/vault`;
  const administered = { adminUrl, resource: url };
  const admin = await AdminClient.open(options, environment, 'vault:admin', administered);
  const { data, text, failed } = await run(admin);
  return { output: options.json ? JSON.stringify(data, undefined, 2) : text, failed };
}

type Run = (admin: AdminClient) => Promise<CommandOutcome>;

/** What is wrong with a command line is found before anything is asked. */
function commandOf({ name, operands: [operand], options }: VaultCommand): Run {
  const required = (): string => {
    if (operand === undefined) throw new UsageError(vaultUsage);
    return operand;
  };
  switch (name) {
    case 'connections':
      return (admin) => list(admin, options);
    case 'disconnect': {
      const path = `/connections/${encodeURIComponent(required())}/disconnect`;
      return async (admin) => {
        const data = await admin.ask('POST', path, endedConnectionSchema);
        return { data, text: describeEnded([data]), failed: false };
      };
    }
    case 'off-board':
      return end('/people/off-board', { person: required() });
    case 'end-provider':
      return end(`/providers/${encodeURIComponent(required())}/end`);
    case 'plant-decoy':
      return plantDecoy(options);
    case 'rewrap':
      return rewrap;
    default:
      throw new UsageError(vaultUsage);
  }
}

function end(path: string, body?: object): Run {
  return async (admin) => {
    const data = await admin.ask('POST', path, endedConnectionListSchema, body);
    return { data, text: describeEnded(data.ended), failed: false };
  };
}

async function list(admin: AdminClient, { person, provider, status }: VaultOptions): Promise<CommandOutcome> {
  const data: ConnectionHealth[] = [];
  for (let after: string | undefined; ;) {
    const query = new URLSearchParams({
      ...(person !== undefined && { person }),
      ...(provider !== undefined && { provider }),
      ...(status !== undefined && { status }),
      ...(after !== undefined && { after }),
    });
    const page = await admin.ask('GET', `/connections?${query}`, connectionHealthListSchema);
    data.push(...page.connections);
    if (page.next === undefined) return { data, text: describeConnections(data), failed: false };
    after = page.next;
  }
}

function plantDecoy({ person, provider: providerId, tokens, scope: scopes }: VaultOptions): Run {
  if (person === undefined || providerId === undefined || tokens === undefined)
    throw new UsageError(vaultUsage);
  return async (admin) => {
    const secrets = tokensSchema.parse(JSON.parse(await readFile(tokens, 'utf8')));
    const data = await admin.ask('POST', '/decoys', plantedDecoySchema, {
      person,
      providerId,
      scopes,
      ...secrets,
    });
    return { data, text: `planted ${data.id}`, failed: false };
  };
}

/** Batch by batch, until a run has finished. Keys that could not be moved are a finding. */
async function rewrap(admin: AdminClient): Promise<CommandOutcome> {
  for (let batch = 0; batch < maxBatches; batch++) {
    const data = await admin.ask('POST', '/rewrap', rewrapRunSchema);
    if (data.finishedAtMs === undefined) continue;
    const { keyId, moved, failed } = data;
    const advice = failed > 0 ? '; keep the former key' : '; the former key is needed no more';
    return { data, text: `${moved} moved to ${keyId}, ${failed} failed${advice}`, failed: failed > 0 };
  }
  throw new Error('the vault does not come to an end');
}
