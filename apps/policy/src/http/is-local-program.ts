import type { IncomingMessage } from 'node:http';

/** Set by browsers, and by proxies that speak for somebody else. */
const speaksForOthers = ['origin', 'forwarded', 'x-forwarded-for', 'x-real-ip'];

/**
 * True when the connection comes from this machine and from a program that asks for itself. A browser does not count:
 * a page of any site can make it call (the attack is DNS rebinding). Nor does a proxy, behind which everybody has a
 * loopback address.
 *
 * Does not tell the users of this machine apart, and cannot see a proxy that sends none of these headers.
 */
export function isLocalProgram(
  request: Pick<IncomingMessage, 'headers'> & { socket: { remoteAddress?: string | undefined } },
): boolean {
  const address = request.socket.remoteAddress?.replace(/^::ffff:/, '');
  if (address === undefined || !(address === '::1' || /^127(\.\d{1,3}){3}$/.test(address))) return false;
  return speaksForOthers.every((header) => request.headers[header] === undefined);
}
