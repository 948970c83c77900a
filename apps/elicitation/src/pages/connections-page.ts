import type { Consent } from '@behalf/elicitation';
import { type Html, type Page, html, layout, moment, visibleText } from '@behalf/pages';
import type { Provider } from '@behalf/third-party';
import type { Connection, ConnectionReason } from '@behalf/vault';
import { scopeList } from './connect-page.js';

export interface ListedConnection {
  connection: Connection;
  /** Undefined when it is not configured any more. */
  provider: Provider | undefined;
  /** Who may use it, each with the code of the form that ends that. */
  consents: readonly { id: string; consent: Consent; csrf: string }[];
  /** Of the form that ends it. */
  csrf: string;
}

export interface ConnectionsPage {
  viewer: string;
  connections: readonly ListedConnection[];
  /** Of this page. */
  url: string;
  /** What has just happened. */
  notice?: string | undefined;
}

/** What a person has connected, how it is, who uses it, and the way to end it. */
export function connectionsPage({ viewer, connections, url, notice }: ConnectionsPage): Page {
  return layout(
    'Your connections',
    html`${notice !== undefined && html`<p role="status"><strong>${visibleText(notice)}</strong></p>`}
      <p>You are signed in as <strong>${visibleText(viewer)}</strong>.</p>
      ${
        connections.length === 0
          ? html`<p>Nothing is connected. When an agent needs an account of yours, it will ask you.</p>`
          : connections.map((listed) => section(listed, url))
      }`,
  );
}

function section({ connection, provider, consents, csrf }: ListedConnection, url: string): Html {
  const name = visibleText(provider?.name ?? connection.providerId);
  const { lastUse } = connection;
  return html`<section aria-labelledby="c-${connection.id}">
    <h2 id="c-${connection.id}">${name}</h2>
    <dl>
      <dt>State</dt>
      <dd>${healthOf(connection)}</dd>
      <dt>Connected since</dt>
      <dd>${moment(connection.createdAtMs)}</dd>
      <dt>Last used</dt>
      <dd>
        ${lastUse ? html`${moment(lastUse.usedAtMs)} by ${visibleText(lastUse.actors[0] ?? lastUse.clientId)}` : 'not yet'}
      </dd>
      <dt>May</dt>
      <dd>${scopeList(connection.scopes, { scopes: provider?.scopes ?? {} })}</dd>
      <dt>Used by</dt>
      <dd>${consents.length === 0 ? 'nobody' : consentList(consents, name, url)}</dd>
    </dl>
    <form method="post" action="${url}/disconnect">
      <input type="hidden" name="csrf" value="${csrf}" />
      <input type="hidden" name="connection" value="${connection.id}" />
      <button type="submit" class="second" aria-label="Disconnect ${name}">Disconnect</button>
    </form>
  </section>`;
}

function consentList(consents: ListedConnection['consents'], provider: string, url: string): Html {
  return html`<ul>
    ${consents.map(({ id, csrf, consent: { client, actors, lastUsedAtMs } }) => {
      const chain = [client, ...actors.toReversed()].map(visibleText).join(' → ');
      return html`<li>
        ${chain}
        <span class="quiet"
          >${lastUsedAtMs === undefined ? 'not yet used' : html`last ${moment(lastUsedAtMs)}`}</span
        >
        <form method="post" action="${url}/withdraw">
          <input type="hidden" name="csrf" value="${csrf}" />
          <input type="hidden" name="consent" value="${id}" />
          <button type="submit" class="second" aria-label="Don't allow any more: ${chain}, ${provider}">
            Don't allow any more
          </button>
        </form>
      </li>`;
    })}
  </ul>`;
}

const reasons: Record<ConnectionReason, string> = {
  disconnected_by_owner: 'You disconnected it.',
  disconnected_by_operator: 'An administrator disconnected it.',
  person_offboarded: 'It was ended when you left.',
  refused_by_provider: 'The provider no longer accepts it.',
  revoked_by_provider: 'It was ended at the provider.',
  expired: 'It ran out.',
  refresh_lost: 'The provider could not be reached while it was renewed.',
  not_authentic: 'What is stored is not what was stored last.',
};

function healthOf({ status, reason }: Connection): string {
  const why = reason === undefined ? '' : ` ${reasons[reason]}`;
  if (status === 'active') return 'Works.';
  if (status === 'needs_consent')
    return `Has to be connected again.${why} You will be asked when it is needed.`;
  return `Disconnected.${why}`;
}
