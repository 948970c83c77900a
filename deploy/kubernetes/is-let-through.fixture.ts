import { BlockList } from 'node:net';
import { selects } from './find-broken-promises.fixture.js';
import type { Resource } from './render-manifests.fixture.js';

interface Selector {
  readonly matchLabels?: Record<string, string>;
  readonly matchExpressions?: readonly { key: string; operator: string; values: readonly string[] }[];
}
interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}
interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { readonly port: string | number; readonly protocol?: string }[];
}
interface Policy {
  readonly podSelector: Selector;
  readonly policyTypes: readonly ('Ingress' | 'Egress')[];
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
}

/** One end of a connection: a service, any pod beside it, a namespace by its labels, or an address outside. */
export type End =
  | { readonly service: string }
  | { readonly pod: Record<string, string> }
  | { readonly namespace: Record<string, string> }
  | { readonly address: string };

export interface Connection {
  readonly from: End;
  readonly to: End;
  readonly port: string | number;
  readonly protocol?: 'UDP';
}

/**
 * Whether the network policies among these resources let a connection come about, as Kubernetes decides it: a pod that
 * no policy selects is open, one that some select is open to what one of them names.
 */
export function isLetThrough(resources: readonly Resource[], connection: Connection): boolean {
  const policies = resources
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .map((resource) => resource['spec'] as Policy);
  return (
    isAccepted(policies, 'Egress', connection.from, connection.to, connection) &&
    isAccepted(policies, 'Ingress', connection.to, connection.from, connection)
  );
}

function isAccepted(
  policies: readonly Policy[],
  type: 'Ingress' | 'Egress',
  subject: End,
  peer: End,
  { port, protocol }: Pick<Connection, 'port' | 'protocol'>,
): boolean {
  if ('namespace' in subject || 'address' in subject) return true;
  const applying = policies.filter(
    ({ podSelector, policyTypes }) => policyTypes.includes(type) && matches(podSelector, labelsOf(subject)),
  );
  if (applying.length === 0) return true;
  const rules = applying.flatMap(({ ingress, egress }) => (type === 'Ingress' ? ingress : egress) ?? []);
  return rules.some(({ from, to, ports }) => {
    const peers = type === 'Ingress' ? from : to;
    return (
      (peers === undefined || peers.some((one) => isPeer(one, peer))) &&
      (ports === undefined ||
        ports.some((one) => one.port === port && (one.protocol ?? 'TCP') === (protocol ?? 'TCP')))
    );
  });
}

function isPeer({ podSelector, namespaceSelector, ipBlock }: Peer, end: End): boolean {
  if ('address' in end) return ipBlock !== undefined && isInside(ipBlock, end.address);
  if ('namespace' in end)
    return (
      namespaceSelector !== undefined &&
      podSelector === undefined &&
      matches(namespaceSelector, end.namespace)
    );
  return namespaceSelector === undefined && podSelector !== undefined && matches(podSelector, labelsOf(end));
}

function labelsOf(end: { service: string } | { pod: Record<string, string> }): Record<string, string> {
  if ('pod' in end) return end.pod;
  return { 'app.kubernetes.io/name': end.service, 'app.kubernetes.io/part-of': 'behalf' };
}

function matches(
  { matchLabels = {}, matchExpressions = [] }: Selector,
  labels: Record<string, string>,
): boolean {
  return (
    selects(matchLabels, labels) &&
    matchExpressions.every(({ key, operator, values }) => {
      if (operator !== 'In') throw new Error(`selectors with ${operator} are not understood`);
      return values.includes(labels[key] ?? '');
    })
  );
}

function isInside(
  { cidr, except = [] }: { cidr: string; except?: readonly string[] },
  address: string,
): boolean {
  const isIn = (range: string): boolean => {
    const [network = '', prefix] = range.split('/');
    const list = new BlockList();
    list.addSubnet(network, Number(prefix), 'ipv4');
    return list.check(address, 'ipv4');
  };
  return isIn(cidr) && !except.some(isIn);
}
