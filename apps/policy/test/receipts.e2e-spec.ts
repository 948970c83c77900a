import { generateKeyPairSync } from 'node:crypto';
import {
  formatCheckpoint,
  latestHead,
  parseReceipt,
  publishedHeads,
  signNote,
  verifyReceipt,
} from '@behalf/audit';
import { type PolicyService, startPolicyService } from './policy-service.js';

const keys = generateKeyPairSync('ed25519');
const name = 'as.example/audit';
const verifier = { name, kind: 'log', key: keys.publicKey } as const;
const question = {
  subject: { type: 'user', id: 'alice', properties: { groups: ['eng'] } },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: 'write_file', properties: { server: 'files' } },
};

let service: PolicyService;
let log: NonNullable<PolicyService['log']>;
beforeAll(async () => {
  service = await startPolicyService({ receipts: true });
  log = service.log!;
});
afterAll(() => service.close());

const authorization = async (): Promise<string> =>
  `Bearer ${await service.sign({ aud: service.publicUrl, sub: 'gateway', scope: 'policy:evaluate' })}`;
const decide = async () => {
  const answer = await fetch(`${service.url}/access/v1/evaluation`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: await authorization() },
    body: JSON.stringify(question),
  });
  const { context } = (await answer.json()) as {
    context: { id: string; audit_record: { index: number; leaf_hash: string } };
  };
  return { id: context.id, ...context.audit_record };
};
const receiptOf = async ({ index, leaf_hash }: { index: number; leaf_hash: string }): Promise<Response> =>
  fetch(`${service.url}/access/v1/receipts/${index}?leaf_hash=${leaf_hash}`, {
    headers: { authorization: await authorization() },
  });
/** As the authorization server does. */
const publishHead = async (): Promise<void> => {
  const head = await log.head();
  const text = formatCheckpoint({ origin: name, ...head });
  const checkpoint = `${text}\n${signNote(text, { name, kind: 'log', privateKey: keys.privateKey })}`;
  await service.records.transaction((transaction) =>
    transaction.put(publishedHeads, latestHead, { size: head.size, checkpoint }),
  );
};

it('says where each decision is recorded, and proves it once a head covers it', async () => {
  const decisions = await Promise.all(Array.from({ length: 300 }, decide));
  expect(new Set(decisions.map(({ index }) => index)).size).toBe(300);
  const early = await receiptOf(decisions[7]!);
  expect([early.status, early.headers.get('retry-after')]).toEqual([503, '5']);

  await publishHead();
  const late = await decide();
  for (const decision of [decisions[0]!, decisions[7]!, decisions[299]!]) {
    const answer = await receiptOf(decision);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
    const [leaf] = await log.leaves(decision.index, 1);
    const receipt = parseReceipt(await answer.text());
    expect(receipt.leaf).toBeUndefined();
    expect(verifyReceipt(receipt, [verifier], leaf).checkpoint.size).toBe(300);
    expect(JSON.parse(leaf!)).toMatchObject({ type: 'decision', decisionId: decision.id });
  }
  expect((await receiptOf(late)).status).toBe(503);
});

it('attack: somebody asks for the receipts of others, or for none', async () => {
  const { index, leaf_hash } = await decide();
  await publishHead();
  expect((await receiptOf({ index: 0, leaf_hash })).status).toBe(404);
  expect((await receiptOf({ index: 100_000, leaf_hash })).status).toBe(404);
  expect((await receiptOf({ index, leaf_hash: 'x' })).status).toBe(400);
  expect((await receiptOf({ index: -1, leaf_hash })).status).toBe(400);
  const url = `${service.url}/access/v1/receipts/${index}?leaf_hash=${leaf_hash}`;
  expect((await fetch(url)).status).toBe(401);
  expect((await receiptOf({ index, leaf_hash })).status).toBe(200);
});
