import type { Evaluation } from '@behalf/contracts';
import type { SearchKind } from './authzen-search.js';

/** What a policy bundle knows by name. */
export interface KnownEntities {
  /** Of its own entities and of the scopes of its policies, in Cedar's terms. */
  entities: readonly { type: string; id: string }[];
  /** Actions that apply to something; groups of actions are none. */
  actions: readonly string[];
}

export type SearchResult = { type: string; id: string; properties?: { server: string } } | { name: string };

export interface Candidate {
  key: string;
  result: SearchResult;
  evaluation: Partial<Evaluation>;
}

const people = new Set(['user', 'identity']);
/** Cedar types by what AuthZEN calls them; those on a server have ids `<server>/<name>`. */
const onServer: Readonly<Record<string, string>> = {
  tool: 'Tool',
  prompt: 'Prompt',
  resource_uri: 'ResourceUri',
  resource: 'ResourceUri',
};
const standalone: Readonly<Record<string, string>> = { mcp_server: 'McpServer', audience: 'Audience' };

/** Everything known that could stand where the request leaves a gap, sorted by key, each with its evaluation. */
export function searchCandidates(
  kind: SearchKind,
  request: Partial<Evaluation>,
  known: KnownEntities,
  resourceTypes: Readonly<Record<string, string>>,
): Candidate[] {
  return candidatesOf(kind, request, known, resourceTypes).toSorted((one, other) =>
    one.key < other.key ? -1 : 1,
  );
}

function candidatesOf(
  kind: SearchKind,
  request: Partial<Evaluation>,
  known: KnownEntities,
  resourceTypes: Readonly<Record<string, string>>,
): Candidate[] {
  if (kind === 'action') {
    return known.actions.map((name) => ({
      key: name,
      result: { name },
      evaluation: { ...request, action: { name } },
    }));
  }
  const target = request[kind];
  if (target === undefined) return [];
  const { type, properties } = target;
  if (kind === 'subject') {
    if (!people.has(type)) return [];
    return idsOf(known, 'User').map((id) => ({
      key: id,
      result: { type, id },
      evaluation: { ...request, subject: { ...target, id } },
    }));
  }
  const alone = lookUp(standalone, type) ?? lookUp(resourceTypes, type);
  if (alone !== undefined) {
    return idsOf(known, alone).map((id) => ({
      key: id,
      result: { type, id },
      evaluation: { ...request, resource: { ...target, id } },
    }));
  }
  const cedarType = lookUp(onServer, type);
  if (cedarType === undefined) return [];
  return idsOf(known, cedarType).flatMap((cedarId) => {
    const [, server, id] = /^([^/:]+)\/([^]+)$/.exec(cedarId) ?? [];
    if (server === undefined || id === undefined)
      return [
        {
          key: cedarId,
          result: { type, id: cedarId },
          evaluation: { ...request, resource: { ...target, id: cedarId } },
        },
      ];
    // Asked for those of one server, the others are not even candidates.
    if (properties?.['server'] !== undefined && properties['server'] !== server) return [];
    const resource = { type, id, properties: { ...properties, server } };
    return [
      { key: cedarId, result: { type, id, properties: { server } }, evaluation: { ...request, resource } },
    ];
  });
}

function idsOf(known: KnownEntities, type: string): string[] {
  return [...new Set(known.entities.filter((entity) => entity.type === type).map((entity) => entity.id))];
}

/** The types are callers' words: `constructor` is not one of ours. */
function lookUp<T>(table: Readonly<Record<string, T>>, type: string): T | undefined {
  return Object.hasOwn(table, type) ? table[type] : undefined;
}
