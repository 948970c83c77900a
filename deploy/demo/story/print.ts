import { decodeJwt } from 'jose';

const paint = (code: number, text: string): string =>
  process.stdout.isTTY ? `\u001b[${code}m${text}\u001b[0m` : text;

export function chapter(title: string): void {
  console.log(`\n${paint(1, title)}`);
}

export function tell(text: string): void {
  console.log(`  ${text.replaceAll('\n', '\n  ')}`);
}

export function outcome(isAllowed: boolean, what: string, detail: string): void {
  tell(`${isAllowed ? paint(32, 'allowed') : paint(31, 'denied ')}  ${what}`);
  tell(`         ${detail.split('\n')[0]?.slice(0, 100)}`);
}

/** Shows whom a token is about, without verifying it: for the eyes, not for decisions. */
export function showClaims(title: string, token: string): void {
  const { sub, act, aud, client_id, scope } = decodeJwt(token);
  tell(title);
  tell(
    JSON.stringify({ sub, client_id, act, aud, scope }, undefined, 2)
      .replaceAll('\n', '\n  ')
      .replace(/^/, '  '),
  );
}

export function sideBySide(
  left: { title: string; rows: string[] },
  right: { title: string; rows: string[] },
): void {
  const rows = [...new Set([...left.rows, ...right.rows])];
  const width = Math.max(left.title.length, ...rows.map((row) => row.length)) + 2;
  tell(paint(4, left.title.padEnd(width)) + paint(4, right.title));
  for (const row of rows) {
    tell((left.rows.includes(row) ? row : '-').padEnd(width) + (right.rows.includes(row) ? row : '-'));
  }
}
