import type { Evaluation } from '@behalf/contracts';
import { attributes } from '@behalf/telemetry';

/**
 * The names of the actors, the current one first, as policies name them: ours by `sub`, those of another issuer as
 * `<iss>#<sub>`. The attack: an agent elsewhere has the name of one of ours, and what it did is on record as done by ours.
 * What is malformed is left out; such a chain is denied anyway.
 */
export function actorNames({ context }: Evaluation, ownIssuer: string | undefined): string[] {
  const actors = context?.['actors'];
  if (!Array.isArray(actors)) return [];
  return actors.flatMap((actor) => {
    if (typeof actor !== 'object' || actor === null || !('sub' in actor)) return [];
    const { sub } = actor;
    const iss = 'iss' in actor ? actor.iss : undefined;
    if (typeof sub !== 'string') return [];
    if (iss === undefined || iss === ownIssuer) return [sub];
    return typeof iss === 'string' ? [`${iss}#${sub}`] : [];
  });
}

/** What a span may say about an evaluation: names, and never the person, the arguments or other contents. */
export function decisionAttributes(
  evaluation: Evaluation,
  ownIssuer: string | undefined,
): Record<string, string | string[] | number> {
  const { action, resource, context } = evaluation;
  const actors = actorNames(evaluation, ownIssuer);
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
