import { calculateThumbprint, generateKeyPair } from 'dpop';
import { type Check, claimsOf, ensure, issued, refused, same } from './check.ts';

const spec = 'RFC 9449';
const badProof = ['invalid_dpop_proof', 'use_dpop_nonce', 'invalid_request', 'invalid_grant'];

/** An exchange with proof of possession: what is bound stays bound. */
export const dpopChecks: Check[] = [
  {
    id: 'dpop-metadata',
    spec: `${spec} §5.1`,
    title: 'asymmetric algorithms of proofs are listed',
    async run(sts) {
      const algorithms = sts.metadata['dpop_signing_alg_values_supported'];
      ensure(Array.isArray(algorithms) && algorithms.length > 0, 'there are none');
      ensure(!algorithms.some((alg) => /^(?:none|HS)/i.test(String(alg))), 'a symmetric one is among them');
    },
  },
  {
    id: 'dpop-binding',
    spec: `${spec} §5, §6.1`,
    title: 'an exchange with a proof gives a token bound to its key',
    async run(sts) {
      const answer = await sts.exchange({}, { dpop: sts.key });
      same(String(answer.body['token_type']).toLowerCase(), 'dpop', 'token_type');
      const jkt = await calculateThumbprint(sts.key.publicKey);
      same(claimsOf(issued(answer))['cnf'], { jkt }, 'cnf');
    },
  },
  {
    id: 'dpop-replay',
    spec: `${spec} §11.1`,
    title: 'a proof is good once',
    async run(sts) {
      const first = await sts.exchange({}, { dpop: await sts.proof() });
      const nonce = first.headers.get('dpop-nonce') ?? '';
      const proof = await sts.proof(sts.key, { nonce });
      issued(await sts.exchange({}, { dpop: proof }));
      refused(await sts.exchange({}, { dpop: proof }), ...badProof);
    },
  },
  ...(
    [
      ['dpop-method', 'another method', { method: 'GET' }],
      ['dpop-url', 'another URL', { url: 'https://elsewhere.example/token' }],
    ] as const
  ).map(([id, title, about]): Check => ({
    id,
    spec: `${spec} §4.3`,
    title: `a proof for ${title} is refused`,
    run: async (sts) =>
      refused(
        await sts.exchange({}, { dpop: await sts.proof(sts.key, about) }),
        'invalid_dpop_proof',
        'invalid_request',
      ),
  })),
  {
    id: 'dpop-subject-without-proof',
    spec: `${spec} §7`,
    title: 'a bound subject token is not exchanged without a proof',
    run: async (sts) =>
      refused(await sts.exchange({ subject_token: await sts.subjectToken(sts.key) }), ...badProof),
  },
  {
    id: 'dpop-subject-other-key',
    spec: `${spec} §7`,
    title: 'a bound subject token is not exchanged with the proof of another key',
    async run(sts) {
      const subject = await sts.subjectToken(sts.key);
      const thief = await generateKeyPair('ES256');
      refused(await sts.exchange({ subject_token: subject }, { dpop: thief }), ...badProof);
    },
  },
  {
    id: 'dpop-never-unbound',
    spec: `${spec} §7`,
    title: 'a bound subject token with its proof gives a bound token',
    async run(sts) {
      const subject = await sts.subjectToken(sts.key);
      const answer = await sts.exchange({ subject_token: subject }, { dpop: sts.key });
      ensure(claimsOf(issued(answer))['cnf'] !== undefined, 'cnf is gone');
    },
  },
];
