import { createHash, timingSafeEqual } from 'node:crypto';
import {
  endSessions,
  findUpstreamPerson,
  revocationLifetimeSeconds,
  writeRevocation,
} from '@behalf/adapter-oidc-provider';
import type { AuditLog } from '@behalf/audit';
import type { BehalfConfig, SignalTransmitterConfig } from '@behalf/config';
import { endThirdPartyAccount } from '@behalf/contracts';
import {
  type Bus,
  type Clock,
  nowSeconds,
  RecordConflict,
  type RecordKind,
  type RecordStore,
} from '@behalf/ports';
import { type HeardSignal, hearSignal, SetRefusal, verifySet } from '@behalf/shared-signals';
import type { IssuerKeySets } from '@behalf/trusted-issuers';
import { z } from 'zod';

const busTimeoutMs = 5_000;
const clockMarginSeconds = 60;

/** Signals that were acted upon: one that comes again does nothing. */
const heardRecords: RecordKind<{ transmitter: string }> = {
  name: 'ssf-heard',
  schema: z.object({ transmitter: z.string() }),
};

export interface SignalReceiverParts {
  records: RecordStore;
  audit: Pick<AuditLog, 'append'>;
  bus: Bus;
  clock: Clock;
  keys: IssuerKeySets;
  environment: Readonly<Record<string, string | undefined>>;
}

/** Takes what outside transmitters tell, and does what it means here. */
export class SignalReceiver {
  constructor(
    private readonly config: BehalfConfig,
    private readonly parts: SignalReceiverParts,
  ) {}

  find(name: string): SignalTransmitterConfig | undefined {
    return this.config.authorizationServer.sharedSignals.transmitters.find((one) => one.name === name);
  }

  /** @throws SetRefusal `authentication_failed` */
  checkPushed({ authorizationEnv }: SignalTransmitterConfig, authorization: string | undefined): void {
    if (authorizationEnv === undefined) return;
    const expected = this.parts.environment[authorizationEnv];
    if (expected === undefined || authorization === undefined || !sameDigest(expected, authorization))
      throw new SetRefusal('authentication_failed', 'Authorization is not what was agreed on');
  }

  /**
   * Resolves when what the token says has been done, or was before: what fails half-way is done when it comes again.
   *
   * @throws SetRefusal; OAuthError `temporarily_unavailable`; BusError
   */
  async take(transmitter: SignalTransmitterConfig, token: string): Promise<void> {
    const { keys, clock, bus, records } = this.parts;
    const { issuer, name, people, provider, maxAgeSeconds } = transmitter;
    const verified = await verifySet(token, {
      issuer,
      keys: keys.keysOf(transmitter),
      algorithms: transmitter.algorithms,
      audience: transmitter.audience ?? this.config.authorizationServer.issuer,
      maxAgeSeconds,
      nowSeconds: nowSeconds(clock),
    });
    const id = createHash('sha256')
      .update(JSON.stringify([issuer, verified.jti]))
      .digest('base64url');
    const heard = hearSignal(verified, issuer);
    if (!heard || (await records.get(heardRecords, id))) return;
    if (provider !== undefined && heard.endsConnections)
      await bus.request(endThirdPartyAccount, { provider, account: heard.sub }, { timeoutMs: busTimeoutMs });
    const nowMs = clock.nowMs();
    // As long as it could come again.
    const expiresAtMs = nowMs + (maxAgeSeconds + clockMarginSeconds) * 1000;
    await records
      .transaction(async (transaction) => {
        await transaction.put(heardRecords, id, { transmitter: name }, { expectedVersion: 0, expiresAtMs });
        if (people) await this.#endPerson(transaction, transmitter, heard, nowMs);
        await this.parts.audit.append({
          type: 'shared-signals',
          outcome: 'allowed',
          occurredAtMs: nowMs,
          details: { step: 'signal heard', transmitter: name, event: verified.type, jti: id },
        });
      })
      .catch((error: unknown) => {
        // Two of the same at once: the other one did it.
        if (!(error instanceof RecordConflict)) throw error;
      });
  }

  /** Under every name they have here: as somebody who signed in with that issuer, and as one whose tokens are exchanged. */
  async #endPerson(
    transaction: Parameters<Parameters<RecordStore['transaction']>[0]>[0],
    { issuer }: SignalTransmitterConfig,
    { sub, endsTokens, endsSignIns }: HeardSignal,
    nowMs: number,
  ): Promise<void> {
    const known = await findUpstreamPerson(transaction, { issuer, subject: sub });
    const when = { nowMs, lifetimeSeconds: this.#lifetimeSeconds(issuer) };
    for (const person of [`${issuer}#${sub}`, ...(known ? [known.sub] : [])]) {
      if (endsSignIns) await endSessions(transaction, person, when);
      if (endsTokens)
        await writeRevocation(
          transaction,
          { kind: 'person', id: person, person, issuedUntilMs: nowMs },
          when,
        );
    }
  }

  /** Tokens of that issuer may live longer than ours, and must not be exchanged again. */
  #lifetimeSeconds(issuer: string): number {
    const trusted = this.config.authorizationServer.trustedIssuers.find((one) => one.issuer === issuer);
    const theirs = Math.max(
      trusted?.people?.maxLifetimeSeconds ?? 0,
      trusted?.identityAssertions?.maxLifetimeSeconds ?? 0,
    );
    return Math.max(revocationLifetimeSeconds(this.config), theirs + clockMarginSeconds);
  }
}

function sameDigest(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
