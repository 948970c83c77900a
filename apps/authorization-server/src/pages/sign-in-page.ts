import type { Page } from '@behalf/pages';
import { html, layout } from '@behalf/pages';

export interface SignInPage {
  action: string;
  csrf: string;
  clientName: string;
  /** What was typed before, so that only the password has to be typed again. */
  username?: string;
  error?: string;
}

export function signInPage({ action, csrf, clientName, username, error }: SignInPage): Page {
  return layout(
    error === undefined ? 'Sign in' : 'Sign in: please try again',
    html`<p>to continue to <strong>${clientName}</strong></p>
      ${error !== undefined && html`<p class="error" id="error" role="alert">${error}</p>`}
      <form method="post" action="${action}">
        <input type="hidden" name="csrf" value="${csrf}" />
        <label for="username">User name</label>
        <input
          id="username"
          name="username"
          autocomplete="username"
          autocapitalize="none"
          spellcheck="false"
          required
          value="${username ?? ''}"
        />
        <label for="password">Password</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required />
        <div class="actions"><button type="submit">Sign in</button></div>
      </form>`,
  );
}
