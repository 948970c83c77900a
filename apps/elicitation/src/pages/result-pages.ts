import type { ElicitationStatus } from '@behalf/contracts';
import { type Html, type Page, html, layout } from '@behalf/pages';

/** What became of it, and what to do next. */
export function resultPage(
  status: ElicitationStatus,
  { asker, provider, connectionsUrl }: { asker: string; provider: string; connectionsUrl: string },
): Page {
  const [title, text] = outcomeOf(status, asker, provider);
  return layout(
    title,
    html`<p role="status">${text}</p>
      <p class="quiet">
        You can close this page. What you have connected is listed under
        <a href="${connectionsUrl}">your connections</a>.
      </p>`,
  );
}

function outcomeOf(status: ElicitationStatus, asker: string, provider: string): [string, string] {
  switch (status) {
    case 'completed':
      return [
        'Connected',
        `${asker} may now use your ${provider} account. Go back to your application: it goes on by itself, or when you ask it again.`,
      ];
    case 'declined':
      return [
        'Not allowed',
        `${asker} does not get to use your ${provider} account. Your application is told so when it asks again.`,
      ];
    case 'expired':
      return [
        'Too late',
        'This link is over. Ask your application for the same again, and it will show a new one.',
      ];
    case 'cancelled':
      return ['Withdrawn', 'This request was withdrawn. There is nothing left to decide.'];
    default:
      return ['Not finished', 'You have agreed, and have not come back from the provider yet.'];
  }
}

/** For whoever came with a link that was made for another person. */
export function otherPersonPage({ viewer, switchUrl }: { viewer: string; switchUrl: string }): Page {
  return layout(
    'This link is not for you',
    html`<p>
        You are signed in as <strong>${viewer}</strong>, and this link was made for somebody else. If you
        agreed here, their assistant would use your account.
      </p>
      <p class="warning" role="note">
        If somebody sent you this link, do not go on, and tell them that it only works for themselves.
      </p>
      <p>If it is yours, <a href="${switchUrl}">sign in as the person who asked</a>.</p>`,
  );
}

export function refusedPage(message: string, next?: Html): Page {
  return layout(
    'This did not work',
    html`<p role="alert">${message[0]?.toUpperCase()}${message.slice(1)}.</p>
      ${next}`,
  );
}
