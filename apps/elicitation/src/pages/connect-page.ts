import { type Elicitation } from '@behalf/elicitation';
import { type Html, type Page, html, layout, moment, visibleText } from '@behalf/pages';
import type { Provider } from '@behalf/third-party';
import { who } from './who.js';

export interface ConnectPage {
  action: string;
  connectionsUrl: string;
  csrf: string;
  id: string;
  viewer: string;
  elicitation: Elicitation;
  provider: Provider;
  /** Nothing but the person's word is missing. */
  isConnected: boolean;
  /** Why the last attempt did not work. */
  error?: string | undefined;
}

/** Who asks, through whom, for which account, to do what, until when. What is not shown here is not agreed to here. */
export function connectPage(page: ConnectPage): Page {
  const { elicitation, provider, isConnected, viewer, error } = page;
  const { client, actors, names, scopes, request, expiresAtMs } = elicitation;
  return layout(
    `Let ${who(names, actors[0] ?? client)} use your ${visibleText(provider.name)} account?`,
    html`${error !== undefined && html`<p class="error" role="alert">${error}</p>`}
      <p>You are signed in as <strong>${visibleText(viewer)}</strong>.</p>
      <dl>
        <dt>Asked for by</dt>
        <dd>${who(names, client)}${idOf(names, client)}</dd>
        <dt>Through</dt>
        <dd>
          <ol>
            ${actors.toReversed().map((actor) => html`<li>${who(names, actor)}${idOf(names, actor)}</li>`)}
          </ol>
        </dd>
        <dt>Account</dt>
        <dd>${visibleText(provider.name)}</dd>
        ${
          request?.name !== undefined &&
          html`<dt>In order to</dt>
            <dd>call ${visibleText(request.name)}</dd>`
        }
        <dt>You can decide until</dt>
        <dd>${moment(expiresAtMs)}</dd>
      </dl>
      <h2>If you agree, it may</h2>
      ${scopeList(scopes, provider)}
      <p class="warning" role="note">
        Agree only if you have just asked for this yourself. Nobody should have sent you this link.
      </p>
      <form method="post" action="${page.action}">
        <input type="hidden" name="csrf" value="${page.csrf}" />
        <input type="hidden" name="e" value="${page.id}" />
        ${provider.kind === 'static' && !isConnected && credentialField(provider)}
        <div class="actions">
          <button type="submit" name="answer" value="allow">
            ${isConnected || provider.kind === 'static' ? 'Allow' : `Continue to ${visibleText(provider.name)}`}
          </button>
          <button type="submit" name="answer" value="deny" class="second" formnovalidate>Don't allow</button>
        </div>
      </form>
      <p class="quiet">
        ${isConnected ? 'This account is connected already.' : 'What you enter or agree to there is kept sealed.'}
        The application in front of you never sees it. You can end this at any time under
        <a href="${page.connectionsUrl}">your connections</a>.
      </p>`,
  );
}

export function scopeList(scopes: readonly string[], { scopes: words }: Pick<Provider, 'scopes'>): Html {
  if (scopes.length === 0) return html`<p>use it, within what the provider asks you there</p>`;
  return html`<ul>
    ${scopes.map((scope) => html`<li>${visibleText(words[scope] ?? scope)} <span class="quiet">${visibleText(scope)}</span></li>`)}
  </ul>`;
}

function credentialField({ credential: { label, hint } }: Extract<Provider, { kind: 'static' }>): Html {
  return html`<label for="credential">${visibleText(label)}</label>
    ${hint !== undefined && html`<p class="quiet" id="credential-hint">${visibleText(hint)}</p>`}
    <input
      type="password"
      id="credential"
      name="credential"
      required
      maxlength="4096"
      autocomplete="off"
      spellcheck="false"
      ${hint !== undefined && html`aria-describedby="credential-hint"`}
    />`;
}

/** The id as well: names are whatever their owners chose. */
function idOf(names: Readonly<Record<string, string>>, id: string): Html | undefined {
  return names[id] === undefined ? undefined : html` <span class="quiet">${visibleText(id)}</span>`;
}
