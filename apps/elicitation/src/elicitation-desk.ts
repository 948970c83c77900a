import type { AuditLog, AuditRecord } from '@behalf/audit';
import type { ElicitationOffer, ThirdPartyTokenRequest } from '@behalf/contracts';
import {
  type ChangedElicitation,
  type Elicitation,
  type ElicitationDependencies,
  ElicitationRefusal,
  type ObtainedToken,
  agreeToElicitation,
  completeElicitation,
  declineElicitation,
  findElicitation,
  obtainThirdPartyToken,
  openElicitation,
  statusAt,
} from '@behalf/elicitation';
import { coversScopes } from '@behalf/oauth';
import type { Provider } from '@behalf/third-party';
import { type Connection, type OpenedCredential, type Vault } from '@behalf/vault';
import type { ProviderCatalog } from './provider-catalog.js';
import { vaultTokens } from './vault-tokens.js';

export interface DeskPorts {
  dependencies: ElicitationDependencies;
  providers: ProviderCatalog;
  vault: Vault;
  audit: AuditLog;
}

/** An elicitation in front of its person, with what the page says about the account. */
export interface ShownElicitation {
  elicitation: Elicitation;
  provider: Provider;
  /** The account is connected with all that is asked for: nothing but the person's word is missing. */
  isConnected: boolean;
}

/** Every step of an elicitation as the edges of this service take it, each of them recorded. */
export class ElicitationDesk {
  constructor(private readonly ports: DeskPorts) {}

  obtain(request: ThirdPartyTokenRequest): Promise<ObtainedToken> {
    return obtainThirdPartyToken(request, this.ports.dependencies);
  }

  /** The same for a call that is made here: the credential, or whom to ask for it. */
  async obtainForCall(
    request: ThirdPartyTokenRequest,
  ): Promise<{ credential: OpenedCredential } | { offer: ElicitationOffer }> {
    const { dependencies, vault, providers } = this.ports;
    let credential: OpenedCredential | undefined;
    const tokens = vaultTokens(vault, providers, (opened) => (credential = opened));
    const obtained = await obtainThirdPartyToken(request, { ...dependencies, tokens });
    if (obtained.outcome === 'interaction_required') return { offer: obtained.elicitation };
    if (!credential) throw new Error('a token came from nowhere');
    return { credential };
  }

  /**
   * What a signed-in person sees at a link, and notes that they saw it.
   *
   * @throws ElicitationRefusal `not_found`, `other_person`, `over`
   */
  async show(id: string, person: string): Promise<ShownElicitation> {
    const { records, clock } = this.ports.dependencies;
    const nowMs = clock.nowMs();
    const { value } = await this.#find(id, person);
    // Looking again while at the provider, in another window, must not end what was agreed to there.
    if (statusAt(value, nowMs) !== 'consented') await openElicitation({ id, person, nowMs }, records);
    const provider = this.#provider(value.provider);
    return { elicitation: value, provider, isConnected: await this.#isConnected(value, provider) };
  }

  /** One that is over, for its person. @throws ElicitationRefusal `not_found`, `other_person` */
  async past(id: string, person: string): Promise<Pick<ShownElicitation, 'elicitation' | 'provider'>> {
    const { value } = await this.#find(id, person);
    return { elicitation: value, provider: this.#provider(value.provider) };
  }

  /** @throws ElicitationRefusal */
  async agree(id: string, person: string): Promise<ChangedElicitation> {
    const { records, clock } = this.ports.dependencies;
    return agreeToElicitation({ id, person, nowMs: clock.nowMs() }, records);
  }

  /** The elicitation that an agreement goes on with. @throws ElicitationRefusal `superseded`, `over` */
  async checkStillAgreed(id: string, person: string, version: number): Promise<Elicitation> {
    const { value, version: current } = await this.#find(id, person);
    const status = statusAt(value, this.ports.dependencies.clock.nowMs());
    if (status !== 'consented') throw new ElicitationRefusal({ kind: 'over', status });
    if (current !== version) throw new ElicitationRefusal({ kind: 'superseded' });
    return value;
  }

  /** @throws ElicitationRefusal */
  async complete(id: string, person: string, version: number): Promise<void> {
    const { records, clock } = this.ports.dependencies;
    const change = { id, person, version, nowMs: clock.nowMs() };
    const { elicitation } = await completeElicitation(change, records);
    await this.#record(elicitation, 'allowed', { elicitation: id, step: 'completed' });
  }

  /** @throws ElicitationRefusal */
  async decline(id: string, person: string): Promise<void> {
    const { records, clock } = this.ports.dependencies;
    const { elicitation } = await declineElicitation({ id, person, nowMs: clock.nowMs() }, records);
    await this.#record(elicitation, 'refused', { elicitation: id, step: 'declined' });
  }

  /** Somebody else came with the link: worth knowing, when it happens often. */
  async recordStranger(id: string, person: string): Promise<void> {
    const nowMs = this.ports.dependencies.clock.nowMs();
    await this.ports.audit.append({
      type: 'elicitation',
      outcome: 'refused',
      occurredAtMs: nowMs,
      person,
      details: { elicitation: id, reason: 'other_person' },
    });
  }

  async #find(id: string, person: string): Promise<{ value: Elicitation; version: number }> {
    return findElicitation(this.ports.dependencies.records, id, person);
  }

  #provider(id: string): Provider {
    const provider = this.ports.providers.find(id);
    // Taken out of the configuration since.
    if (!provider) throw new ElicitationRefusal({ kind: 'provider_unknown' });
    return provider;
  }

  async #isConnected({ person, scopes }: Elicitation, provider: Provider): Promise<boolean> {
    const connection: Connection | undefined = await this.ports.vault.find(person, provider.resources[0]);
    return connection?.status === 'active' && coversScopes(connection.scopes, scopes, provider.impliedScopes);
  }

  async #record(
    { person, client, actors, provider, scopes }: Elicitation,
    outcome: AuditRecord['outcome'],
    details: Record<string, string>,
  ): Promise<void> {
    await this.ports.audit.append({
      type: 'elicitation',
      outcome,
      occurredAtMs: this.ports.dependencies.clock.nowMs(),
      person,
      client,
      actors,
      details: { ...details, provider, scopes },
    });
  }
}
