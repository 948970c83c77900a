import { createHash } from 'node:crypto';

/** The request of an MCP client that a token is needed for. */
export interface McpRequestToName {
  method: 'tools/call' | 'prompts/get' | 'resources/read';
  /** The tool, prompt or resource. */
  name: string;
  arguments?: unknown;
}

/** The same for equal requests, however their arguments were written. */
export function requestDigest({ method, name, arguments: args }: McpRequestToName): string {
  return createHash('sha256')
    .update(JSON.stringify([method, name, sorted(args ?? {})]))
    .digest('base64url');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  // A list of pairs: names made of digits would be put in another order by an object.
  return ['object', ...members.map(([name, member]) => [name, sorted(member)])];
}
