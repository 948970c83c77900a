import { createHash } from 'node:crypto';

/** Parts of a Cluster fail over one by one, so each part of the one-time state has a memory of its own. */
export const memoryParts = 32;

/**
 * Names of keys. What a caller calls something is digested: it may be a secret, and is of any length. Keys that one
 * script touches share a hash tag, so that a Cluster has them in one place.
 */
export const redisKeys = {
  memory: (part: number) => `behalf:{once-${part}}:memory`,
  value: (purpose: string, key: string) =>
    `behalf:{once-${partOf(purpose, key)}}:value:${purpose}:${digest(key)}`,
  used: (purpose: string, key: string) =>
    `behalf:{once-${partOf(purpose, key)}}:used:${purpose}:${digest(key)}`,
  rate: (purpose: string, key: string) => `behalf:rate:${purpose}:${digest(key)}`,
  lease: (name: string) => `behalf:{lease-${digest(name)}}:held`,
  fence: (name: string) => `behalf:{lease-${digest(name)}}:fence`,
  cache: (purpose: string, key: string) => `behalf:cache:${purpose}:${digest(key)}`,
} as const;

export function partOf(purpose: string, key: string): number {
  return createHash('sha256').update(`${purpose}\0${key}`).digest().readUInt16BE(0) % memoryParts;
}

function digest(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}
