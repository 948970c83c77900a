import type { Evaluation } from '@behalf/contracts';
import { attributes } from '@behalf/telemetry';

/** The names of the actors, the current one first; none when the chain is malformed, which is denied anyway. */
export function actorNames(evaluation: Evaluation): string[] {
  const actors = evaluation.context?.['actors'];
  if (!Array.isArray(actors)) return [];
  return actors.flatMap((actor) =>
    typeof actor === 'object' && actor !== null && 'sub' in actor && typeof actor.sub === 'string'
      ? [actor.sub]
      : [],
  );
}

/** What a span may say about an evaluation: names, and never the person, the arguments or other contents. */
export function decisionAttributes(evaluation: Evaluation): Record<string, string | string[] | number> {
  const { action, resource, context } = evaluation;
  const actors = actorNames(evaluation);
  const server = resource.properties?.['server'] ?? context?.['server'];
  const client = context?.['client_id'];
  return {
    [attributes.mcpMethod]: action.name,
    [attributes.actorChain]: actors,
    [attributes.actorDepth]: actors.length,
    ...(resource.type === 'tool' && { [attributes.toolName]: resource.id }),
    ...(resource.type === 'prompt' && { [attributes.promptName]: resource.id }),
    ...(resource.type === 'audience' && { [attributes.audience]: resource.id }),
    ...(typeof server === 'string' && { [attributes.upstream]: server }),
    ...(typeof client === 'string' && { [attributes.clientId]: client }),
  };
}
