import {
  type Revocation,
  agentRetired,
  agentSuspended,
  connectionChanged,
  revocationCreated,
} from '@behalf/contracts';
import { type Elicitation, cancelMatching } from '@behalf/elicitation';
import type { Bus, Clock, RecordStore, Subscription } from '@behalf/ports';
import { isEndedByChoice } from '@behalf/vault';
import type { EndedAccounts } from '../ended-accounts.js';
import type { LiveCalls } from '../forward/live-calls.js';

/** Closes what nobody should agree to any more: its agent, grant or session has ended, or its account has. */
export function followEnds(
  bus: Bus,
  {
    records,
    clock,
    ended,
    calls,
  }: { records: RecordStore; clock: Clock; ended: EndedAccounts; calls: LiveCalls },
): Subscription[] {
  const cancel = (matches: (elicitation: Elicitation) => boolean): Promise<number> =>
    cancelMatching(matches, records, clock.nowMs());
  const ofAgent = (id: string) => cancel((elicitation) => isThrough(elicitation, id));
  return [
    bus.subscribe(agentSuspended, async ({ data }) => void (await ofAgent(data.id))),
    bus.subscribe(agentRetired, async ({ data }) => void (await ofAgent(data.id))),
    bus.subscribe(revocationCreated, async ({ data }) => {
      await cancel((elicitation) => isEndedBy(elicitation, data));
    }),
    bus.subscribe(connectionChanged, async ({ data }) => {
      if (data.status !== 'active') calls.endConnection(data.id);
      // Who ends it there ends what they agreed to here, as who ends it here does.
      if (isEndedByChoice(data)) await ended.close(data.owner, data.providerId, data.reason ?? '');
    }),
  ];
}

function isThrough({ client, actors }: Elicitation, id: string): boolean {
  return client === id || actors.includes(id);
}

function isEndedBy(elicitation: Elicitation, { kind, id }: Revocation): boolean {
  const { grantId, sid, txn } = elicitation.origin;
  switch (kind) {
    case 'grant':
      return grantId === id;
    case 'session':
      return sid === id;
    case 'transaction':
      return txn === id;
    case 'client':
      return isThrough(elicitation, id);
    case 'person':
      return elicitation.person === id;
    default:
      return false;
  }
}
