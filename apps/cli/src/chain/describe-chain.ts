import type { ChainNode, ChainStep } from './build-chain.js';

/** A chain for people to read: who acted through whom, and below each what they did, in the order it happened. */
export function describeChain(roots: readonly ChainNode[]): string {
  const beganAtMs = Math.min(...roots.flatMap(momentsOf));
  return roots.flatMap((root) => describeNode(root, beganAtMs)).join('\n');
}

function describeNode({ name, steps, through }: ChainNode, beganAtMs: number): string[] {
  const below = [
    ...steps.map((step) => [describeStep(step, beganAtMs)]),
    ...through.map((node) => describeNode(node, beganAtMs)),
  ];
  const lines = below.flatMap((block, index) => {
    const [first, next] = index === below.length - 1 ? ['└─ ', '   '] : ['├─ ', '│  '];
    return block.map((line, nth) => `${nth === 0 ? first : next}${line}`);
  });
  return [visible(name), ...lines];
}

function describeStep(step: ChainStep, beganAtMs: number): string {
  const { type, outcome, occurredAtMs, where, scopes, decided, decisionId, tookMs } = step;
  return [
    `+${((occurredAtMs - beganAtMs) / 1000).toFixed(3)} s`,
    `${type} ${outcome}`,
    where && `${type === 'exchange' ? 'for ' : ''}${visible(where)}`,
    scopes && `[${visible(scopes.join(' '))}]`,
    decided && `by ${visible(decided)}`,
    decisionId && `decision ${visible(decisionId)}`,
    tookMs !== undefined && `in ${tookMs} ms`,
  ]
    .filter((part) => typeof part === 'string' && part !== '')
    .join('  ');
}

function momentsOf({ steps, through }: ChainNode): number[] {
  return [...steps.map(({ occurredAtMs }) => occurredAtMs), ...through.flatMap(momentsOf)];
}

/** Names come from clients: none of them moves the cursor of the operator who looks. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\uFFFD');
}
