import type { ExchangeExplanation } from '@behalf/contracts';

/** An explanation for people to read: the outcome first, then what led to it. */
export function describeExplanation(explanation: ExchangeExplanation): string {
  const { refusal, token, scope, actors, audiences } = explanation;
  const lines: [string, string | undefined][] = [
    [
      'outcome',
      refusal
        ? `refused: ${refusal.reason}`
        : token
          ? `minted: ${token.typ}, ${token.expiresIn} seconds`
          : 'up to the person, who is not asked by this',
    ],
    ['rule', refusal && `${refusal.rule} (${refusal.see})`],
    ['error', refusal && `${refusal.error}: ${refusal.description}`],
    ['client', explanation.client],
    ['person', explanation.person],
    ['profile', explanation.profile],
    ['actors', actors.join(' < ') || undefined],
    ['for', audiences.join(' ') || undefined],
    ['decision', explanation.decisionId],
    ...(scope?.terms ?? []).map(({ term, scopes }): [string, string] => [
      'scope',
      `${term}: ${scopes.join(' ') || 'none'}`,
    ]),
    ['left', scope && (scope.left.join(' ') || 'none')],
    ...(scope?.removed ?? []).map(({ scope: name, by }): [string, string] => [
      'removed',
      `${name} by ${by.join(', ')}`,
    ]),
    ['claims', token && JSON.stringify(token.claims, undefined, 2)],
  ];
  return lines
    .flatMap(([title, text]) => (text === undefined ? [] : [`${title.padEnd(9)} ${text}`]))
    .join('\n');
}
