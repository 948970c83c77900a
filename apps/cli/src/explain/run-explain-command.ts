import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { exchangeExplanationSchema } from '@behalf/contracts';
import { tokenTypes } from '@behalf/oauth';
import { AdminClient, adminOptions, adminUsage } from '../admin-client.js';
import { UsageError, parseOrExplain } from '../parse-command.js';
import type { CommandResult } from '../command-result.js';
import { describeExplanation } from './describe-explanation.js';

export const explainUsage = `behalf explain --client <client_id> --subject-token-file <file> --resource <URL>

  What a token exchange of that client would come to: the token, or the refusal and the rule behind it, and which
  part of the intersection removed which scope. Nothing is issued.

  --subject-token-type access_token|id_token|jwt|txn_token|refresh_token   (access_token)
  --resource <URL>, --audience <name>    may repeat
  --scope <scope>                        several in one, separated by spaces
  --actor-token-file <file>
  --authorization-details <JSON>
  --requested-token-type access_token|txn_token|id-jag
  --requested-actor <client_id>
  --proof-jkt <thumbprint>               of the DPoP key that the client would prove

${adminUsage}`;

/** Runs `explain`. @throws UsageError, AdminRefused */
export async function runExplainCommand(
  args: string[],
  environment: Record<string, string | undefined>,
): Promise<CommandResult> {
  const values = parse(args);
  const { client, 'subject-token-file': subjectFile, 'actor-token-file': actorFile } = values;
  if (client === undefined || subjectFile === undefined) throw new UsageError(explainUsage);
  const request = {
    client_id: client,
    subject_token: await readToken(subjectFile),
    subject_token_type: tokenType(values['subject-token-type']),
    ...(actorFile !== undefined && {
      actor_token: await readToken(actorFile),
      actor_token_type: tokenTypes.accessToken,
    }),
    resource: values.resource,
    audience: values.audience,
    ...named('scope', values.scope),
    ...named('authorization_details', values['authorization-details']),
    ...named(
      'requested_token_type',
      values['requested-token-type'] && tokenType(values['requested-token-type']),
    ),
    ...named('requested_actor', values['requested-actor']),
    ...named('proof_jkt', values['proof-jkt']),
  };
  const admin = await AdminClient.open(values, environment);
  const explanation = await admin.ask('POST', '/exchange/explain', exchangeExplanationSchema, request);
  return {
    output: values.json ? JSON.stringify(explanation, undefined, 2) : describeExplanation(explanation),
    failed: explanation.outcome === 'refused',
  };
}

/** Tokens are read from files: a command line is for everybody on the machine to see. */
function parse(args: string[]) {
  return parseOrExplain(explainUsage, () =>
    parseArgs({
      args,
      options: {
        ...adminOptions,
        client: { type: 'string' },
        'subject-token-file': { type: 'string' },
        'subject-token-type': { type: 'string', default: 'access_token' },
        'actor-token-file': { type: 'string' },
        resource: { type: 'string', multiple: true, default: [] },
        audience: { type: 'string', multiple: true, default: [] },
        scope: { type: 'string' },
        'authorization-details': { type: 'string' },
        'requested-token-type': { type: 'string' },
        'requested-actor': { type: 'string' },
        'proof-jkt': { type: 'string' },
      },
    }),
  ).values;
}

function named(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}

function tokenType(name: string): string {
  return name.includes(':') ? name : `urn:ietf:params:oauth:token-type:${name}`;
}

async function readToken(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).trim();
}
