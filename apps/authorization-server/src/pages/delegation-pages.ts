import type { AuthorizationDetail } from '@behalf/oauth';
import { type Html, html, layout, moment, type Page, visibleText } from '@behalf/pages';

/** What an agent may do where, in words: the same when it is asked for and when it is given. */
export interface DelegationWords {
  agentName: string;
  agentId: string;
  /** Who answers for it. */
  owner?: string | undefined;
  resource: { name: string; identifier: string };
  permissions: string[];
  authorizationDetails: readonly AuthorizationDetail[];
  purpose: string;
}

export interface DelegationPage extends DelegationWords {
  action: string;
  csrf: string;
  personName: string;
  grantUntilMs: number;
}

/** Everything that the approval would be for. What is not shown here must not be approved here. */
export function delegationPage(page: DelegationPage): Page {
  const { agentName, personName } = page;
  return layout(
    `Let ${agentName} act for you?`,
    html`<p>
        You are signed in as <strong>${personName}</strong>. <strong>${agentName}</strong> asks to act in your
        name.
      </p>
      <dl>
        ${describeDelegation(page)}
        <dt>Until</dt>
        <dd>${moment(page.grantUntilMs)}</dd>
      </dl>
      <p class="warning" role="note">
        Approve only if you have just asked ${agentName} for something that needs this.
      </p>
      <form method="post" action="${page.action}">
        <input type="hidden" name="csrf" value="${page.csrf}" />
        <div class="actions">
          <button type="submit" name="decision" value="allow">Approve</button>
          <button type="submit" name="decision" value="deny" class="second">Deny</button>
        </div>
      </form>
      <p class="quiet">You can end it at any time on the page that lists who acts for you.</p>`,
  );
}

export function describeDelegation(words: DelegationWords): Html {
  const { agentId, owner, resource, permissions, authorizationDetails, purpose } = words;
  return html`<dt>At</dt>
    <dd>${resource.name} <span class="quiet">(${resource.identifier})</span></dd>
    <dt>It may</dt>
    <dd>
      <ul>
        ${permissions.map((permission) => html`<li>${permission}</li>`)}
      </ul>
    </dd>
    ${authorizationDetails.map(
      (detail) =>
        html`<dt>Exactly</dt>
          <dd><pre>${visibleText(JSON.stringify(detail, null, 2))}</pre></dd>`,
    )}
    ${
      purpose !== '' &&
      html`<dt>What for</dt>
        <dd>${visibleText(purpose)}</dd>`
    }
    ${
      owner !== undefined &&
      html`<dt>Who answers for it</dt>
        <dd>${owner}</dd>`
    }
    <dt>Its id</dt>
    <dd class="quiet">${agentId}</dd>`;
}

export function delegationDecidedPage(
  state: 'pending' | 'approved' | 'denied' | 'expired',
  accountUrl: string,
): Page {
  const words = {
    approved: 'You have approved. The agent can go on with what it was doing.',
    denied: 'You have denied. The agent may not act for you there.',
    expired: 'It is too late to decide about this. The agent can ask again.',
    pending: 'Nothing has been decided yet.',
  };
  return layout(
    'Nothing more to do',
    html`<p role="status">${words[state]}</p>
      <p><a href="${accountUrl}">Who may act for you</a></p>
      <p class="quiet">You can close this page.</p>`,
  );
}

/** For anybody but the person who was asked. It does not say what was asked, by whom or of whom. */
export function anotherPersonPage({
  personName,
  signOutUrl,
}: {
  personName: string;
  signOutUrl: string;
}): Page {
  return layout(
    'This is not for you',
    html`<p>
        You are signed in as <strong>${personName}</strong>, and this link was made for somebody else. Nobody
        can approve in another person's place.
      </p>
      <p>
        If it was made for you under another account, <a href="${signOutUrl}">sign out</a> and open the link
        again. If somebody sent it to you, close this page.
      </p>`,
  );
}
