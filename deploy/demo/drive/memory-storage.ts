import type { Adapter, AdapterPayload } from 'oidc-provider';

/** What the third party remembers: everything, until it is stopped. */
export function memoryStorage(): (name: string) => Adapter {
  const all = new Map<string, AdapterPayload>();
  return (name) => {
    const find = async (matches: (payload: AdapterPayload, key: string) => boolean) =>
      [...all].find(([key, payload]) => key.startsWith(`${name}:`) && matches(payload, key))?.[1];
    return {
      upsert: async (id, payload) => void all.set(`${name}:${id}`, payload),
      find: async (id) => all.get(`${name}:${id}`),
      findByUserCode: (code) => find(({ userCode }) => userCode === code),
      findByUid: (uid) => find((payload) => payload.uid === uid),
      consume: async (id) => {
        const payload = all.get(`${name}:${id}`);
        if (payload) payload.consumed = Math.floor(Date.now() / 1000);
      },
      destroy: async (id) => void all.delete(`${name}:${id}`),
      revokeByGrantId: async (grantId) => {
        for (const [key, payload] of all) if (payload.grantId === grantId) all.delete(key);
      },
    };
  };
}
