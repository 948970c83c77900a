import type { Evaluation, Obligation } from '@behalf/contracts';
import type { RecordKind } from '@behalf/ports';
import { z } from 'zod';
import { describedTool } from './tool-definition.js';

export const toolPinSchema = z.object({
  server: z.string().min(1),
  tool: z.string().min(1),
  /** See `toolDefinitionHash`. */
  hash: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  pinnedBy: z.string(),
  pinnedAtMs: z.number().int(),
});
export type ToolPin = z.infer<typeof toolPinSchema>;

/** The definition of a tool that somebody has reviewed. */
export const toolPins: RecordKind<ToolPin> = {
  name: 'tool-pin',
  schema: toolPinSchema,
  keys: ({ server }) => ({ server }),
};

export function toolPinId(server: string, tool: string): string {
  return JSON.stringify([server, tool]);
}

/**
 * The obligation to have a tool reviewed whose definition is not the one that was pinned; undefined when it is, or
 * nobody pinned it. A call of a pinned tool that does not say what the tool looks like now counts as changed. A list
 * may leave that out, since listing a changed tool does no harm and calling it is refused.
 */
export function checkPin(
  { resource, context, action }: Evaluation,
  pinOf: ((server: string, tool: string) => string | undefined) | undefined,
): Obligation | undefined {
  if (resource.type !== 'tool' || action.name !== 'tools/call') return undefined;
  const server = resource.properties?.['server'] ?? context?.['server'];
  const pinned = typeof server === 'string' ? pinOf?.(server, resource.id) : undefined;
  if (pinned === undefined) return undefined;
  const { definitionHash } = describedTool(resource);
  if (definitionHash === pinned) return undefined;
  if (definitionHash === undefined && context?.['preview'] === true) return undefined;
  return {
    id: 'tool-approval',
    type: 'tool-approval',
    properties: {
      server: server as string,
      tool: resource.id,
      ...(definitionHash !== undefined && { definition_hash: definitionHash }),
    },
  };
}
