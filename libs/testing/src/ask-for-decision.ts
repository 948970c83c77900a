/** Asks the policy service whether a person may call a tool of an MCP server. */
export function askForDecision(
  policyUrl: string,
  person: string,
  { tool, server }: { tool: string; server: string },
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${policyUrl}/access/v1/evaluation`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({
      subject: { type: 'user', id: person },
      action: { name: 'tools/call' },
      resource: { type: 'tool', id: tool, properties: { server } },
    }),
  });
}
