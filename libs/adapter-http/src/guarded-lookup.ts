import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { classifyAddress } from './classify-address.js';
import { GuardedFetchError } from './guarded-fetch-error.js';

export type ResolveHost = (hostname: string) => Promise<string[]>;
export type AddressRule = (address: string) => boolean;

/** What may be dialled: https goes to the whole world, plain http never leaves the machine. */
export function addressRule(protocol: string, allowLoopback: boolean): AddressRule {
  return (address) => {
    const kind = classifyAddress(address);
    return kind === 'global' ? protocol === 'https:' : kind === 'loopback' && allowLoopback;
  };
}

/**
 * Name resolution for a socket that is about to be dialled. What it answers is what gets dialled, so a name cannot
 * change its address between check and use (DNS rebinding). One bad address among good ones refuses the name.
 */
export function guardedLookup(
  url: string,
  allowed: AddressRule,
  resolve: ResolveHost = resolveHost,
): LookupFunction {
  const check = callbackify(async (hostname: string): Promise<[LookupAddress, ...LookupAddress[]]> => {
    const addresses = await resolve(hostname);
    const [first, ...rest] = addresses;
    if (first === undefined || !addresses.every(allowed))
      throw new GuardedFetchError('forbidden_address', url);
    return [withFamily(first), ...rest.map(withFamily)];
  });
  return (hostname, options, callback) => {
    check(hostname, (error, addresses) => {
      if (error) callback(error, []);
      else if (options.all) callback(null, addresses);
      else callback(null, addresses[0].address, addresses[0].family);
    });
  };
}

function withFamily(address: string): LookupAddress {
  return { address, family: isIP(address) };
}

async function resolveHost(hostname: string): Promise<string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}
