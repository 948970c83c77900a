import {
  type Revocation,
  agentRetired,
  agentSuspended,
  connectionChanged,
  revocationCreated,
} from '@behalf/contracts';
import { type Elicitation, cancelMatching } from '@behalf/elicitation';
import { EventFollower, type EventFollowerPorts, reactTo } from '@behalf/messaging';
import type { Subscription } from '@behalf/ports';
import type { Logger } from '@behalf/service-kit';
import { isEndedByChoice } from '@behalf/vault';
import type { EndedAccounts } from '../ended-accounts.js';
import type { LiveCalls } from '../forward/live-calls.js';

/** Clocks of servers may differ by as much, so that something of before may seem to be from after. */
const clockMarginMs = 15 * 60_000;

/**
 * Closes what nobody should agree to any more: its agent, grant or session has ended, or its account has. Also of what
 * ended while no replica was running; what was begun since then goes on.
 */
export async function followEnds(
  ports: EventFollowerPorts,
  { ended, calls, logger }: { ended: EndedAccounts; calls: LiveCalls; logger: Logger },
): Promise<Subscription[]> {
  const { bus, records, clock } = ports;
  const cancel = (
    { occurredAtMs }: { occurredAtMs: number },
    matches: (elicitation: Elicitation) => boolean,
  ): Promise<number> =>
    cancelMatching(
      (elicitation) => elicitation.createdAtMs <= occurredAtMs + clockMarginMs && matches(elicitation),
      records,
      clock.nowMs(),
    );
  return [
    // Calls are this process's own.
    bus.subscribe(connectionChanged, ({ data }) => {
      if (data.status !== 'active') calls.endConnection(data.id);
    }),
    await EventFollower.start(
      [
        ...[agentSuspended, agentRetired].map((contract) =>
          reactTo(contract, (event) => cancel(event, (elicitation) => isThrough(elicitation, event.data.id))),
        ),
        reactTo(revocationCreated, async (event) => {
          // No elicitation is begun with a token alone.
          if (event.data.kind === 'token') return;
          await cancel(event, (elicitation) => isEndedBy(elicitation, event.data));
        }),
        reactTo(connectionChanged, async ({ data, occurredAtMs }) => {
          // Who ends it there ends what they agreed to here, as who ends it here does.
          if (isEndedByChoice(data))
            await ended.close(data.owner, data.providerId, data.reason ?? '', occurredAtMs + clockMarginMs);
        }),
      ],
      ports,
      {
        service: 'elicitation',
        name: 'ends',
        onFault: (what, err) => logger.error({ err }, what),
      },
    ),
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
