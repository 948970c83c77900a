/** The third party's own pages: plain, and nothing like ours, as they would be anywhere. */
export function driveSignInPage(action: string): string {
  return page(
    'Sign in to Demo Drive',
    `<form method="post" action="${escapeHtml(action)}">
      <p><label for="account">Account</label> <input id="account" name="account" required autocomplete="username"></p>
      <p><button type="submit" name="answer" value="sign-in">Sign in</button></p>
    </form>`,
  );
}

export function driveConsentPage(action: string, account: string, client: string, scopes: string[]): string {
  return page(
    `Let ${escapeHtml(client)} in?`,
    `<p>You are ${escapeHtml(account)}. ${escapeHtml(client)} asks for:</p>
    <ul>${scopes.map((scope) => `<li>${escapeHtml(scope)}</li>`).join('')}</ul>
    <form method="post" action="${escapeHtml(action)}">
      <button type="submit" name="answer" value="yes">Yes</button>
      <button type="submit" name="answer" value="no">No</button>
    </form>`,
  );
}

export function driveErrorPage(code: string): string {
  return page('Something went wrong', `<p>${escapeHtml(code)}</p>`);
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>
    <meta name="viewport" content="width=device-width, initial-scale=1"></head>
    <body style="font-family: serif; max-width: 30rem; margin: 2rem auto; padding: 0 1rem"><h1>${title}</h1>${body}</body></html>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
