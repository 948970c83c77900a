import { vaultAlarmed } from '@behalf/contracts';
import type { DecisionGrant } from '@behalf/decision-grant';
import type { VaultDependencies } from './vault-dependencies.js';

export interface Alarm {
  readonly alarm: 'decoy_opened' | 'rolled_back' | 'not_authentic' | 'decrypt_rate';
  readonly connectionId: string;
  readonly owner: string;
  readonly grant?: DecisionGrant | undefined;
}

/** Tells operators, and writes it down: both, whatever becomes of the one or the other. */
export async function raiseAlarm(
  { records, audit, clock, onFault }: Pick<VaultDependencies, 'records' | 'audit' | 'clock' | 'onFault'>,
  { alarm, connectionId, owner, grant }: Alarm,
): Promise<void> {
  const clientId = grant?.client_id;
  const decisionId = grant?.decision_id;
  const results = await Promise.allSettled([
    records.transaction((transaction) =>
      transaction.emit(vaultAlarmed, {
        alarm,
        connectionId,
        owner,
        ...(clientId !== undefined && { clientId }),
        ...(decisionId !== undefined && { decisionId }),
      }),
    ),
    audit.append({
      type: 'vault-alarm',
      outcome: 'refused',
      occurredAtMs: clock.nowMs(),
      person: owner,
      client: clientId,
      decisionId,
      details: { alarm, connection: connectionId },
    }),
  ]);
  for (const result of results) {
    if (result.status === 'rejected') onFault(`the alarm ${alarm} was raised in part only`, result.reason);
  }
}
