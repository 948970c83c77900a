import type { AuditRecord } from '@behalf/audit';

/** One thing that somebody did in a chain. */
export interface ChainStep {
  type: string;
  outcome: AuditRecord['outcome'];
  occurredAtMs: number;
  /** Where: an audience, or the tool and its server. */
  where?: string;
  scopes?: string[];
  /** How it was decided: the policies, or why it was refused. */
  decided?: string;
  decisionId?: string;
  tookMs?: number;
}

/** Somebody in a chain, with what they did and who acted through them. */
export interface ChainNode {
  /** The person at the root, then actors, the first one first. */
  name: string;
  steps: ChainStep[];
  through: ChainNode[];
}

/**
 * The records that belong to a chain: those that name its `txn` or trace, and those that share a trace or a decision
 * with them.
 */
export function recordsOfChain(records: readonly AuditRecord[], id: string): AuditRecord[] {
  const named = records.filter(({ traceId, details }) => traceId === id || details?.['txn'] === id);
  const traces = new Set(named.flatMap(({ traceId }) => traceId ?? []));
  const decisions = new Set(named.flatMap(({ decisionId }) => decisionId ?? []));
  return records.filter(
    (record) =>
      named.includes(record) ||
      (record.traceId !== undefined && traces.has(record.traceId)) ||
      (record.decisionId !== undefined && decisions.has(record.decisionId)),
  );
}

/** Who acted for whom, as a tree for each person: an actor hangs below who acted before it in the same chain. */
export function buildChain(records: readonly AuditRecord[]): ChainNode[] {
  const roots: ChainNode[] = [];
  // In the order of the log, which is that of what happened; of moments some are known to the second only.
  for (const record of records) {
    // The current actor comes first in a record, and last on the way down.
    const path = [record.person ?? record.client ?? 'nobody', ...(record.actors ?? []).toReversed()];
    let nodes = roots;
    let node: ChainNode | undefined;
    for (const name of path) {
      node = nodes.find((one) => one.name === name);
      if (!node) {
        node = { name, steps: [], through: [] };
        nodes.push(node);
      }
      nodes = node.through;
    }
    node?.steps.push(toStep(record));
  }
  return roots;
}

function toStep({ type, outcome, occurredAtMs, decisionId, details = {} }: AuditRecord): ChainStep {
  const text = (name: string): string | undefined => {
    const value = details[name];
    return typeof value === 'string' ? value : undefined;
  };
  const list = (name: string): string[] => {
    const value = details[name];
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
  };
  const where =
    text('audience') ?? joined(' at ', joined(' ', text('action'), text('resource')), text('server'));
  const scopes = text('scope')?.split(' ').filter(Boolean) ?? list('scopes');
  const decided = joined(': ', text('reason') ?? text('profile'), joined(', ', ...list('policies')));
  const micros = details['tookMicros'];
  return {
    type,
    outcome,
    occurredAtMs,
    ...(where !== undefined && { where }),
    ...(scopes.length > 0 && { scopes }),
    ...(decided !== undefined && { decided }),
    ...(decisionId !== undefined && { decisionId }),
    ...(typeof micros === 'number' && { tookMs: micros / 1000 }),
  };
}

function joined(between: string, ...parts: (string | undefined)[]): string | undefined {
  return parts.filter((part) => part !== undefined && part !== '').join(between) || undefined;
}
