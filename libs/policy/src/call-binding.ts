import type { Evaluation } from '@behalf/contracts';
import { canonicalJson, digestOf } from '@behalf/i-json';
import { describedTool } from './tool-definition.js';

/** Everything that an approval is for. Whatever differs is another call, and needs another approval. */
export interface CallBinding {
  person: string;
  /** The chain as the token has it, the current actor first. */
  actors: string;
  /** The client that presents the token: without a chain it is the agent. */
  client: string | null;
  action: string;
  resourceType: string;
  resource: string;
  server: string | null;
  argumentsDigest: string;
  definitionHash: string | null;
  policyVersion: string;
}

/**
 * What this evaluation would be approved as; undefined when its arguments were not seen, because an approval of
 * arguments nobody knows would be one of all arguments.
 */
export function bindingOf(evaluation: Evaluation, policyVersion: string): CallBinding | undefined {
  const { subject, action, resource, context = {} } = evaluation;
  const args = context['arguments'];
  if (args === undefined || args === null || context['arguments_unknown'] === true) return undefined;
  const server = resource.properties?.['server'] ?? context['server'];
  return {
    person: `${subject.type === 'identity' ? 'user' : subject.type}:${subject.id}`,
    actors: canonicalJson(context['actors'] ?? []),
    client: typeof context['client_id'] === 'string' ? context['client_id'] : null,
    action: action.name,
    resourceType: resource.type,
    resource: resource.id,
    server: typeof server === 'string' ? server : null,
    argumentsDigest: digestOf({ arguments: args, action: action.properties }),
    definitionHash: (resource.type === 'tool' && describedTool(resource).definitionHash) || null,
    policyVersion,
  };
}

export function bindingToken(binding: CallBinding): string {
  return digestOf(binding);
}
