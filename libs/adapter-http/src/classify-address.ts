import ipaddr from 'ipaddr.js';

/** All global unicast addresses are in here; what is outside is reserved, local, or an IPv4 address in disguise. */
const globalUnicastV6: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];

/**
 * Where an IP address leads. IPv4-mapped IPv6 counts as the IPv4 address it holds. NAT64, 6to4 and Teredo are
 * `special` whatever they hold: a gateway on the way could turn them into a private address.
 *
 * @see RFC 6890, and the IANA special-purpose address registries
 */
export function classifyAddress(address: string): 'global' | 'loopback' | 'special' {
  if (!ipaddr.isValid(address)) return 'special';
  const parsed = ipaddr.process(address);
  const range = parsed.range();
  if (range === 'loopback') return 'loopback';
  if (range !== 'unicast') return 'special';
  return parsed instanceof ipaddr.IPv6 && !parsed.match(globalUnicastV6) ? 'special' : 'global';
}
