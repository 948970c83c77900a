import { type Html, html, layout, moment, type Page } from '@behalf/pages';
import { describeDetail, type DetailWords } from './detail-words.js';
import { describeDelegation, type DelegationWords } from './delegation-pages.js';

export interface ListedDelegation extends DelegationWords {
  id: string;
  sinceMs: number;
  untilMs: number;
  lastUsedAtMs?: number | undefined;
  action: string;
}

/** A client that the person signed in to and agreed to. */
export interface ListedApplication {
  clientId: string;
  name: string;
  access: { resource: string; permissions: string[]; details: DetailWords[] }[];
}

export interface AccountPage {
  personName: string;
  signOutUrl: string;
  csrf: string;
  delegations: ListedDelegation[];
  applications: ListedApplication[];
  removeApplicationAction: string;
  /** One for each browser. */
  sessions: { signedInAtMs: number | undefined; isThisOne: boolean }[];
  endSessionsAction: string;
  /** Something was just ended. */
  hasEnded: boolean;
}

export function accountPage(page: AccountPage): Page {
  const { delegations, applications } = page;
  return layout(
    'Who may act for you',
    html`<p>
        You are signed in as <strong>${page.personName}</strong>. <a href="${page.signOutUrl}">Sign out</a>
      </p>
      ${page.hasEnded && html`<p class="status" role="status">Done. It takes effect at once.</p>`}
      <h2>Agents</h2>
      ${
        delegations.length === 0
          ? html`<p>No agent may act for you on its own account.</p>`
          : delegations.map((one, index) => delegation(one, index, page.csrf))
      }
      <h2>Applications you have allowed</h2>
      ${
        applications.length === 0
          ? html`<p>None.</p>`
          : applications.map((one, index) => application(one, index, page))
      }
      <h2>Where you are signed in</h2>
      <ul>
        ${page.sessions.map(
          ({ signedInAtMs, isThisOne }) =>
            html`<li>
              ${isThisOne ? 'This browser' : 'Another browser'}${
                signedInAtMs !== undefined && html`, since ${moment(signedInAtMs)}`
              }
            </li>`,
        )}
      </ul>
      <form method="post" action="${page.endSessionsAction}">
        <input type="hidden" name="csrf" value="${page.csrf}" />
        <div class="actions"><button type="submit" class="second">Sign out everywhere</button></div>
      </form>
      <p class="quiet">
        It also ends what applications and agents hold from these sign-ins. What you have allowed above stays
        allowed.
      </p>`,
  );
}

function delegation(one: ListedDelegation, index: number, csrf: string): Html {
  return html`<article aria-labelledby="agent-${index}">
    <h3 id="agent-${index}">${one.agentName}</h3>
    <dl>
      ${describeDelegation(one)}
      <dt>Since</dt>
      <dd>${moment(one.sinceMs)}</dd>
      <dt>Until</dt>
      <dd>${moment(one.untilMs)}</dd>
      <dt>Last used</dt>
      <dd>${one.lastUsedAtMs === undefined ? 'never' : moment(one.lastUsedAtMs)}</dd>
    </dl>
    <form method="post" action="${one.action}">
      <input type="hidden" name="csrf" value="${csrf}" />
      <div class="actions">
        <button type="submit" aria-label="Stop it: ${one.agentName} at ${one.resource.name}">Stop it</button>
      </div>
    </form>
  </article>`;
}

function application(one: ListedApplication, index: number, page: AccountPage): Html {
  return html`<article aria-labelledby="application-${index}">
    <h3 id="application-${index}">${one.name}</h3>
    <dl>
      ${one.access.map(
        ({ resource, permissions, details }) =>
          html`<dt>${resource}</dt>
            <dd>
              <ul>
                ${permissions.map((permission) => html`<li>${permission}</li>`)}${details.map(describeDetail)}
              </ul>
            </dd>`,
      )}
      ${
        one.clientId !== one.name &&
        html`<dt>Its id</dt>
          <dd class="quiet">${one.clientId}</dd>`
      }
    </dl>
    <form method="post" action="${page.removeApplicationAction}">
      <input type="hidden" name="csrf" value="${page.csrf}" />
      <input type="hidden" name="client" value="${one.clientId}" />
      <div class="actions">
        <button type="submit" class="second" aria-label="Remove its access: ${one.name}">
          Remove its access
        </button>
      </div>
    </form>
  </article>`;
}
