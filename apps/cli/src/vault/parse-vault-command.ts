import { adminOptions } from '../admin-client.js';
import { parseGroupCommand } from '../parse-command.js';

export const vaultUsage = `behalf vault <command>

  connections [--person <sub>] [--provider <id>] [--status active|needs_consent|disconnected]
         how connections to third parties are; never what opens them
  disconnect <connection>
         end one, here and at its provider
  off-board <sub>
         end everything of a person who left, and what waits for them
  end-provider <provider>
         end every connection to a provider that has ended its grants; it is not asked
  plant-decoy --person <sub> --provider <id> --tokens <file> [--scope <scope>]
         put in a connection that only a thief opens; the file is {"accessToken": …, "refreshToken": …}
  rewrap
         move every data key to the current key-encryption key

  --url <URL>, or BEHALF_CONNECTIONS_URL   the elicitation service (http://localhost:4001)
  --issuer <URL>, or BEHALF_ISSUER         the authorization server (http://localhost:4000)
  --client-id <id>, or BEHALF_CLIENT_ID; its secret in BEHALF_CLIENT_SECRET or --client-secret-file <file>
  BEHALF_TOKEN                             a token for the elicitation service with the scope vault:admin instead
  --admin-url <URL>                        where its administration is, if not at <url>/admin/vault

  --scope may repeat. --json prints what a program can read.`;

export type VaultCommand = ReturnType<typeof parseVaultCommand>;
export type VaultOptions = VaultCommand['options'];

/** @throws UsageError */
export function parseVaultCommand(args: string[]) {
  return parseGroupCommand(vaultUsage, args, {
    ...adminOptions,
    url: { type: 'string' },
    person: { type: 'string' },
    provider: { type: 'string' },
    status: { type: 'string' },
    tokens: { type: 'string' },
    scope: { type: 'string', multiple: true, default: [] },
  });
}
