import type { Page } from '@behalf/pages';
import { Html, html, layout } from '@behalf/pages';

/** For what cannot be told to the client, since it is not known where the client is. */
export function errorPage(error: { error: string; error_description?: string | undefined }): Page {
  return layout(
    'This did not work',
    html`<p>
        The application that sent you here made a request that cannot be answered, or it came too late.
      </p>
      <dl>
        <dt>Error</dt>
        <dd>${error.error}</dd>
        ${
          error.error_description !== undefined &&
          html`<dt>Details</dt>
            <dd>${error.error_description}</dd>`
        }
      </dl>
      <p class="quiet">Go back to the application and start again.</p>`,
  );
}

/** @param form the library's form with the id `op.logoutForm` */
export function signOutPage(form: string): Page {
  return layout(
    'Sign out?',
    html`${new Html(form)}
      <p>Applications that you have allowed keep their access until it is revoked.</p>
      <div class="actions">
        <button type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>
        <button type="submit" form="op.logoutForm" class="second">Stay signed in</button>
      </div>`,
  );
}

export function signedOutPage(): Page {
  return layout('You are signed out', html`<p>You can close this page.</p>`);
}
