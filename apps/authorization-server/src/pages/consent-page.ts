import type { Page } from '@behalf/pages';
import { html, type Html, layout, moment } from '@behalf/pages';
import { describeDetail, type DetailWords } from './detail-words.js';

export interface ConsentPage {
  action: string;
  csrf: string;
  clientName: string;
  /** Where the client's metadata document comes from: a name can be anybody's, this cannot. */
  clientHost?: string | undefined;
  redirectHost: string;
  /** The answer goes to a program on the person's own machine, which nobody has vouched for. */
  isLoopbackOnly: boolean;
  resource?: { name: string; identifier: string } | undefined;
  /** Each scope in words. */
  permissions: string[];
  /** What it asks for besides, in particular. */
  details: DetailWords[];
  personName: string;
  /** Delegations that can be given at the same time, each on its own. */
  offers: OfferedWords[];
}

export interface OfferedWords {
  field: string;
  agentName: string;
  resource: { name: string; identifier: string };
  permissions: string[];
  purpose: string;
  untilMs: number;
}

export function consentPage(page: ConsentPage): Page {
  const { action, csrf, clientName, clientHost, redirectHost, resource, permissions, personName } = page;
  return layout(
    `Allow ${clientName}?`,
    html`<p>
        You are signed in as <strong>${personName}</strong>. <strong>${clientName}</strong> asks to act for
        you.
      </p>
      <h2>It will be able to</h2>
      <ul>
        ${permissions.map((permission) => html`<li>${permission}</li>`)}${page.details.map(describeDetail)}
      </ul>
      <dl>
        ${
          resource &&
          html`<dt>At</dt>
            <dd>${resource.name} <span class="quiet">(${resource.identifier})</span></dd>`
        }
        ${
          clientHost !== undefined &&
          html`<dt>Application published by</dt>
            <dd>${clientHost}</dd>`
        }
        <dt>You will be sent to</dt>
        <dd><strong>${redirectHost}</strong></dd>
      </dl>
      ${
        page.isLoopbackOnly &&
        html`<p class="warning" role="note">
          The answer goes to a program on this computer. Anything that runs here could have started this:
          allow it only if you have just started ${clientName} yourself.
        </p>`
      }
      <form method="post" action="${action}">
        <input type="hidden" name="csrf" value="${csrf}" />
        ${page.offers.length > 0 && offered(page.offers)}
        <div class="actions">
          <button type="submit" name="decision" value="allow">Allow</button>
          <button type="submit" name="decision" value="deny" class="second">Deny</button>
        </div>
      </form>
      <p class="quiet">Your decision is remembered until it is revoked or the application asks for more.</p>`,
  );
}

function offered(offers: OfferedWords[]): Html {
  return html`<fieldset>
    <legend>If you like, also allow</legend>
    ${offers.map(
      ({ field, agentName, resource, permissions, purpose, untilMs }) =>
        html`<label class="choice">
          <input type="checkbox" name="${field}" value="yes" />
          <span>
            <strong>${agentName}</strong> may act for you at <strong>${resource.name}</strong>
            <span class="quiet">(${resource.identifier})</span>: ${permissions.join('; ')}.
            ${purpose !== '' && html`What for: ${purpose}.`} Until ${moment(untilMs)}.
          </span>
        </label>`,
    )}
  </fieldset>`;
}
