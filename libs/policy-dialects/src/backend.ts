/** What is known about a server behind somebody else's gateway. */
export interface Backend {
  /** The server's name in policies. */
  name: string;
  /** The audience of the access tokens that people present to it. */
  resource?: string | undefined;
  /** Hosts it is reached at; any without. */
  hosts: readonly string[];
  /** The path it is reached at, and everything below. */
  path?: string | undefined;
  /** Names that gateways have for it besides its own. */
  serviceNames: readonly string[];
  /** It refuses requests whose `Mcp-Method` and `Mcp-Name` differ from the body, so the headers can be decided on. */
  enforcesHeaderMatch: boolean;
}

/** The backend that a proxied request is for: the one with the longest path that covers it; undefined when none does. */
export function backendAt(backends: readonly Backend[], host: string, path: string): Backend | undefined {
  const pathname = path.split(/[?#]/)[0] ?? '';
  // What a proxy and a server may read as different paths belongs to no backend.
  if (/(^|\/)\.\.?(\/|$)|\/\/|\\|%2f|%5c|%2e/i.test(pathname)) return undefined;
  const hostname = host.toLowerCase().replace(/:\d+$/, '');
  return backends
    .filter(({ path: base, hosts }) => {
      if (base === undefined) return false;
      if (hosts.length > 0 && !hosts.includes(hostname)) return false;
      return pathname === base || pathname.startsWith(`${base}/`);
    })
    .toSorted((one, other) => (other.path?.length ?? 0) - (one.path?.length ?? 0))[0];
}

/** The server that a gateway means by a service name: a backend's, or else the name itself. */
export function serverNamed(backends: readonly Backend[], serviceName: string): string {
  return backends.find((backend) => backend.serviceNames.includes(serviceName))?.name ?? serviceName;
}
