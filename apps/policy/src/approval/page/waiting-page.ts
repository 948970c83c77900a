import { type Page, html, layout, visibleText } from '@behalf/pages';
import type { AccessRequest } from '@behalf/policy';

export interface WaitingPage {
  viewer: string;
  waiting: readonly { url: string; request: Omit<AccessRequest, 'sealed'> }[];
}

/** A page has an end. What waited longest comes first, so nothing is out of reach for good. */
const maxShown = 100;

/** The requests that wait for a person, without what they are about: that is seen where it is decided, and nowhere else. */
export function waitingPage({ viewer, waiting }: WaitingPage): Page {
  const sorted = waiting.toSorted((one, other) => one.request.requestedAtMs - other.request.requestedAtMs);
  const signedIn = html`<p>You are signed in as <strong>${visibleText(viewer)}</strong>.</p>`;
  if (sorted.length === 0) return layout('Nothing waits for you', signedIn);
  return layout(
    'Calls that wait for approval',
    html`${signedIn}
      <ul class="choices">
        ${sorted.slice(0, maxShown).map(
          ({ url, request }) =>
            html`<li>
              <a href="${url}">A call on behalf of ${visibleText(request.person)}</a>
              <p class="quiet">
                Through ${visibleText(request.actors.join(', then ') || 'no agent')}; asked for by the rules
                ${visibleText(request.policies.join(', '))}; can be decided until
                ${new Date(request.expiresAtMs).toISOString()}.
              </p>
            </li>`,
        )}
      </ul>
      ${sorted.length > maxShown && html`<p class="quiet">${sorted.length - maxShown} more wait.</p>`}`,
  );
}
