export interface RedisNode {
  host: string;
  port: number;
}

/** What a REDIS_URL means. */
export type RedisTarget = (
  | { kind: 'standalone'; node: RedisNode; db: number }
  | { kind: 'sentinel'; sentinels: RedisNode[]; master: string; db: number }
  | { kind: 'cluster'; nodes: RedisNode[] }
) & { username?: string; password?: string; tls: boolean };

export class InvalidRedisUrl extends Error {
  override readonly name = 'InvalidRedisUrl';
  constructor() {
    super(
      'REDIS_URL must be redis://host:port/db, redis+sentinel://host:port,host:port/master/db or redis+cluster://host:port,host:port; rediss… for TLS',
    );
  }
}

const form = /^(rediss?)(\+sentinel|\+cluster)?:\/\/(?:([^@/]*)@)?([^/?#]+)(?:\/([^?#]*))?$/;
const defaultPorts = { standalone: 6379, sentinel: 26379, cluster: 6379 };

/** Reads a URL of one server, of Sentinels that know it, or of nodes of a Cluster. @throws InvalidRedisUrl */
export function parseRedisUrl(url: string): RedisTarget {
  const [, scheme, suffix, userinfo, hosts, path = ''] = form.exec(url) ?? [];
  if (scheme === undefined || hosts === undefined) throw new InvalidRedisUrl();
  const kind = suffix === '+sentinel' ? 'sentinel' : suffix === '+cluster' ? 'cluster' : 'standalone';
  const nodes = hosts.split(',').map((host) => parseNode(host, defaultPorts[kind]));
  const [node] = nodes;
  const shared = { tls: scheme === 'rediss', ...parseUserinfo(userinfo) };
  const segments = path.split('/').filter((segment) => segment !== '');
  if (kind === 'cluster') {
    if (segments.length > 0) throw new InvalidRedisUrl();
    return { kind, nodes, ...shared };
  }
  if (kind === 'sentinel') {
    const [master, db, ...rest] = segments;
    if (master === undefined || rest.length > 0) throw new InvalidRedisUrl();
    return { kind, sentinels: nodes, master: decodeURIComponent(master), db: parseDb(db), ...shared };
  }
  const [db, ...rest] = segments;
  if (node === undefined || nodes.length > 1 || rest.length > 0) throw new InvalidRedisUrl();
  return { kind, node, db: parseDb(db), ...shared };
}

function parseNode(text: string, defaultPort: number): RedisNode {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) throw new InvalidRedisUrl();
  return { host, port: port === undefined ? defaultPort : Number(port) };
}

function parseUserinfo(userinfo: string | undefined): { username?: string; password?: string } {
  if (userinfo === undefined) return {};
  const [username = '', ...rest] = userinfo.split(':');
  const password = rest.join(':');
  return {
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
  };
}

function parseDb(text = '0'): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidRedisUrl();
  return Number(text);
}
