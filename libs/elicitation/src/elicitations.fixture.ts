import type { AuditRecord } from '@behalf/audit';
import { MemoryRecordStore } from '@behalf/adapter-memory';
import type { ThirdPartyTokenRequest } from '@behalf/contracts';
import { LocalKeyEncryptionKey } from '@behalf/sealing';
import { FakeClock } from '@behalf/testing';
import { agreeToElicitation, completeElicitation, openElicitation } from './change-elicitation.js';
import { obtainThirdPartyToken } from './obtain-third-party-token.js';
import type { ElicitationDependencies } from './ports.js';

export const resource = 'https://api.drive.example';

/** Alice's editor, through the gateway and a calendar server. */
export const asked: ThirdPartyTokenRequest = {
  person: 'alice',
  client: 'editor',
  actors: ['calendar', 'gateway'],
  names: { calendar: 'Calendar' },
  resource,
  scopes: ['files.read'],
  request: { method: 'tools/call', name: 'list', digest: 'sha256-of-the-arguments' },
  decisionId: 'decision-1',
  waitSeconds: 0,
};

/** Elicitations against fakes: the vault holds the scopes that `connected` names, by person. */
export function elicitationsFixture() {
  const clock = new FakeClock();
  const records = new MemoryRecordStore(clock);
  const recorded: AuditRecord[] = [];
  const connected = new Map<string, string[]>();
  const waits: (() => Promise<void>)[] = [];
  let ids = 0;
  const dependencies: ElicitationDependencies = {
    records,
    clock,
    keyEncryptionKey: new LocalKeyEncryptionKey(new Uint8Array(32).fill(7)),
    audit: { append: async (record) => void recorded.push(record) },
    tokens: {
      use: async ({ person, scopes }) => {
        const held = connected.get(person) ?? [];
        if (held.length === 0 || !scopes.every((scope) => held.includes(scope)))
          return { kind: 'needs_person' };
        return {
          kind: 'token',
          accessToken: `token-of-${person}`,
          tokenType: 'Bearer',
          expiresAtMs: undefined,
          scopes: held,
        };
      },
    },
    findProvider: (identifier) =>
      identifier === resource
        ? {
            id: 'drive',
            name: 'Drive',
            scopes: { 'files.read': 'See your files', 'files.write': 'Change your files' },
          }
        : undefined,
    waitForChange: async () => waits.shift()?.(),
    newId: () => `e-${(ids += 1)}`,
    elicitationSeconds: 900,
    connectUrl: 'https://connect.example/connect',
    pollUrl: 'https://connect.example/elicitations',
  };
  const at = (id: string, person = 'alice') => ({ id, person, nowMs: clock.nowMs() });
  return {
    clock,
    records,
    recorded,
    connected,
    waits,
    dependencies,
    at,
    ask: (changes: Partial<ThirdPartyTokenRequest> = {}) =>
      obtainThirdPartyToken({ ...asked, ...changes }, dependencies),
    /** Asks, and expects to be given something to show. */
    async offered(changes: Partial<ThirdPartyTokenRequest> = {}) {
      const answer = await this.ask(changes);
      if (answer.outcome !== 'interaction_required') throw new Error('a token came without the person');
      return answer.elicitation;
    },
    /** Goes through the page as the person does. */
    async connect(id: string, person = 'alice', scopes = ['files.read']) {
      await openElicitation(at(id, person), records);
      const { version } = await agreeToElicitation(at(id, person), records);
      connected.set(person, scopes);
      return completeElicitation({ ...at(id, person), version }, records);
    },
  };
}
