import fc from 'fast-check';
import { accessTokenClaimsSchema } from './access-token-claims.js';
import { parseAccessTokenClaims } from './parse-access-token-claims.js';

const odd = fc.constantFrom<unknown>(null, '', 'x', 7, -1, 1.5, 1e300, true, [], [7], {}, { sub: 'x' });
const mostly = <T>(usual: fc.Arbitrary<T>) => fc.oneof({ weight: 30, arbitrary: usual }, odd);
const name = mostly(fc.constantFrom('a', 'b'));
const time = mostly(fc.integer());
const texts = mostly(fc.array(fc.constantFrom('a', 'b'), { maxLength: 2 }));
const { act } = fc.letrec((tie) => ({
  act: mostly(
    fc.record(
      { sub: name, iss: name, client_id: name, act: tie('act'), more: fc.constant(1) },
      { requiredKeys: ['sub'] },
    ),
  ),
}));
const plainAct = fc.constant({ sub: 'a', client_id: 'a', act: { sub: 'b', iss: 'b' } });
const claims = fc.record(
  {
    iss: name,
    sub: name,
    aud: name,
    client_id: name,
    exp: time,
    iat: time,
    jti: name,
    scope: name,
    act: fc.oneof(plainAct, act),
    groups: texts,
    auth_time: time,
    sid: name,
    grant_id: name,
    txn: name,
    cnf: mostly(fc.constantFrom<unknown>({ jkt: 'a' }, { jkt: 'a', more: 1 })),
    authorization_details: mostly(fc.constant([{ type: 'a', actions: [] }])),
    lineage: texts,
    delegations: texts,
    may_act: odd,
    ['__proto__']: odd,
  },
  { requiredKeys: ['iss', 'sub', 'aud', 'client_id', 'exp', 'iat', 'jti'] },
);

it('reads claims as their schema does', () => {
  let accepted = 0;
  const isAccepted = (given: unknown): void => {
    const received: unknown = JSON.parse(JSON.stringify(given));
    const [ours, schemas] = [parseAccessTokenClaims(received), accessTokenClaimsSchema.safeParse(received)];
    expect(ours.success).toBe(schemas.success);
    expect(ours.data).toEqual(schemas.data);
    if (ours.success) accepted += 1;
  };
  fc.assert(fc.property(claims, isAccepted), { numRuns: 3_000 });
  fc.assert(fc.property(odd, isAccepted));
  const actor = { sub: 'a', iss: 'a', client_id: 'a' };
  const named = Object.fromEntries(
    'iss sub aud client_id jti scope sid grant_id txn'.split(' ').map((key) => [key, 'a']),
  );
  const lists = Object.fromEntries('groups lineage delegations'.split(' ').map((key) => [key, ['a']]));
  const whole = { ...named, ...lists, exp: 1, iat: 1, auth_time: 1, act: { ...actor, act: actor } };
  const oneOdd = fc.record({ member: fc.constantFrom(...Object.keys(whole)), value: odd });
  fc.assert(
    fc.property(oneOdd, ({ member, value }) => isAccepted({ ...whole, [member]: value })),
    { numRuns: 2_000 },
  );
  const oddActor = fc.record({ member: fc.constantFrom(...Object.keys(actor), 'act', 'more'), value: odd });
  fc.assert(
    fc.property(oddActor, ({ member, value }) =>
      isAccepted({ ...whole, act: { ...actor, act: { ...actor, [member]: value } } }),
    ),
    { numRuns: 1_000 },
  );
  expect(accepted).toBeGreaterThan(100);
});
