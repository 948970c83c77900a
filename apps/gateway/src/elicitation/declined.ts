import { McpError, type McpRequest, behalfErrorCodes } from '@behalf/mcp';
import type { McpAnswer } from '../http/mcp-answer.js';

/** Tells the caller that the person did not agree. @throws McpError where no result can say so */
export function respondDeclined(era: 'modern' | 'legacy', { method }: McpRequest, answer: McpAnswer): void {
  const text = 'The person did not agree. Do not ask again unless they want you to.';
  if (method !== 'tools/call') throw new McpError(behalfErrorCodes.denied, text, { status: 200 });
  const result = { isError: true, content: [{ type: 'text', text }] };
  answer.respond(era === 'modern' ? { resultType: 'complete', ...result } : result);
}
