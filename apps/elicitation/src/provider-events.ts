import type { AuditLog } from '@behalf/audit';
import type { Clock, RecordKind, RecordStore } from '@behalf/ports';
import { type Provider, type WebhookMessage, readWebhook } from '@behalf/third-party';
import type { Vault } from '@behalf/vault';
import { createHash } from 'node:crypto';
import { z } from 'zod';

/** Longer than providers send anything again. */
const rememberedMs = 30 * 24 * 3600 * 1000;

const deliverySchema = z.object({ providerId: z.string(), atMs: z.int() });
const deliveryKind: RecordKind<z.output<typeof deliverySchema>> = {
  name: 'provider-event',
  schema: deliverySchema,
};

export type ProviderEventOutcome =
  { kind: 'done' } | { kind: 'known' } | { kind: 'challenge'; answer: string };

/** What providers tell by webhook: whose grant is over. */
export class ProviderEvents {
  constructor(
    private readonly ports: {
      vault: Pick<Vault, 'endByAccount'>;
      records: RecordStore;
      audit: Pick<AuditLog, 'append'>;
      clock: Clock;
    },
  ) {}

  /**
   * Ends what the event says is over. Only then the delivery counts as known: what failed half-way is done when the
   * provider sends it again, and doing it twice is doing it once.
   *
   * @throws WebhookRefused
   */
  async take(
    provider: Provider & { readonly webhook: NonNullable<Provider['webhook']> },
    message: WebhookMessage,
  ): Promise<ProviderEventOutcome> {
    const { vault, records, audit, clock } = this.ports;
    const nowMs = clock.nowMs();
    const { accounts, deliveryId, challenge } = readWebhook(message, provider.webhook, nowMs);
    if (challenge !== undefined) return { kind: 'challenge', answer: challenge };
    const id = deliveryId === undefined ? undefined : idOf(provider.id, deliveryId);
    if (id !== undefined && (await records.get(deliveryKind, id))) return { kind: 'known' };
    let ended = 0;
    for (const account of accounts) ended += await vault.endByAccount(provider.id, account);
    if (accounts.length > 0)
      await audit.append({
        type: 'provider-event',
        outcome: 'allowed',
        occurredAtMs: nowMs,
        details: { provider: provider.id, ended },
      });
    if (id !== undefined)
      await records.transaction((transaction) =>
        transaction.put(
          deliveryKind,
          id,
          { providerId: provider.id, atMs: nowMs },
          { expiresAtMs: nowMs + rememberedMs },
        ),
      );
    return { kind: 'done' };
  }
}

function idOf(providerId: string, deliveryId: string): string {
  return createHash('sha256')
    .update(JSON.stringify([providerId, deliveryId]))
    .digest('base64url');
}
