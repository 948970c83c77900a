import {
  type ActClaim,
  actorChain,
  actorNames,
  type AuthorizationDetail,
  isWithinDetails,
  maxChainDepth,
  ScopeSet,
} from '@behalf/oauth';
import fc from 'fast-check';
import { exchangeFixture, gatewayResource, issuer, now, subjectClaims } from './exchange.fixture.js';
import type { DelegationGrant, ExchangeParameters, RequestingClient, TokenClaims } from './ports.js';

const clientIds = ['one', 'two'];
const elsewhere = 'https://elsewhere.example';
const scopes = ['a', 'b', 'c', 'd'];
const types = ['payment', 'files'];
const scope = fc.subarray(scopes);
const mostScopes = fc.subarray(scopes, { minLength: 3 });
/** Seldom, so that most hops succeed and chains grow long. */
const seldom = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const detail: fc.Arbitrary<AuthorizationDetail> = fc.record({
  type: fc.constantFrom(...types),
  actions: fc.subarray(['read', 'write', 'delete'], { minLength: 1 }),
});
const details = fc.array(detail, { maxLength: 3 });
const keyOf = (clientId: string): string => clientId.padEnd(43, 'k');

const hop = fc.record({
  clientId: fc.constantFrom(...clientIds),
  ceiling: mostScopes,
  types: fc.subarray(types),
  target: mostScopes,
  requested: seldom(scope),
  requestedDetails: seldom(fc.array(detail, { minLength: 1, maxLength: 2 })),
  lifetime: fc.integer({ min: 1, max: 1000 }),
  provesKey: fc.boolean(),
  /** May act as the person, unnamed. */
  mayImpersonate: fc.boolean(),
  /** Names the client of the next hop, with its key. */
  handsOver: fc.boolean(),
  grant: seldom(fc.record({ scopes: mostScopes, details, lifetime: fc.integer({ min: 1, max: 1000 }) })),
});
type Hop = typeof hop extends fc.Arbitrary<infer T> ? T : never;

/** What a chain begins with: a token of ours, or of another issuer, whose actors have the names of ours. */
const root = fc.option(fc.array(fc.constantFrom(...clientIds), { maxLength: 3 }), {
  nil: undefined,
  freq: 2,
});

function rootToken(foreignActors: readonly string[] | undefined, claims: Partial<TokenClaims>): TokenClaims {
  if (!foreignActors) return subjectClaims(claims);
  const act = foreignActors.reduceRight<ActClaim | undefined>(
    (earlier, sub) => ({ sub, iss: elsewhere, ...(earlier && { act: earlier }) }),
    undefined,
  );
  const { txn: _txn, grant_id: _grant, sid: _sid, ...foreign } = subjectClaims(claims);
  const named = { iss: elsewhere, sub: `${elsewhere}#alice`, client_id: `${elsewhere}#editor` };
  return { ...foreign, ...named, ...(act && { act }) };
}

/** As much of a token as says who issued it. */
function encoded(iss: string): string {
  return `e30.${Buffer.from(JSON.stringify({ iss })).toString('base64url')}.c2ln`;
}

const refusals = ['invalid_scope', 'invalid_request', 'invalid_authorization_details', 'invalid_target'];

function exchangeAt(token: TokenClaims, at: Hop, next: Hop | undefined, index: number) {
  const presented = encoded(token.iss);
  const fixture = exchangeFixture(token.iss === issuer ? { [presented]: token } : {});
  const grant: DelegationGrant | undefined = at.grant && {
    id: `grant-${index}`,
    scopes: at.grant.scopes,
    authorizationDetails: at.grant.details,
    expiresAtSeconds: now + at.grant.lifetime,
  };
  Object.assign(fixture.dependencies, {
    findTarget: () => ({
      resource: gatewayResource,
      scopes: at.target,
      servedBy: clientIds,
      delegation: grant ? 'grant' : 'policy',
    }),
    findDelegationGrant: async () => grant,
    verifyExternalToken: async () => token,
    maxLifetimeSeconds: at.lifetime,
    newId: () => `hop-${index}`,
  });
  const client: RequestingClient = {
    clientId: at.clientId,
    isConfidential: true,
    ceiling: {
      audiences: ['*'],
      scopes: at.ceiling,
      authorizationDetailsTypes: at.types,
      ...(at.mayImpersonate && { impersonation: ['*'] }),
    },
  };
  const parameters: ExchangeParameters = {
    subject_token: presented,
    ...(at.requested && { scope: at.requested.join(' ') }),
    ...(at.requestedDetails && { authorization_details: JSON.stringify(at.requestedDetails) }),
    ...(at.handsOver &&
      next && { requested_actor: next.clientId, requested_actor_jkt: keyOf(next.clientId) }),
  };
  const proof = at.provesKey ? { jkt: keyOf(at.clientId) } : undefined;
  const issuing = fixture
    .issued(parameters, client, proof)
    .catch((error: { code?: string }) => error.code ?? 'no OAuthError');
  return issuing.then((issued) => ({ issued, asked: fixture.asked, recorded: fixture.recorded }));
}

describe('any chain of exchanges', () => {
  it('narrows scope, details and lifetime, keeps sub, binding and whose each actor is, and is exactly the sequence of its actors', async () => {
    let longest = 0;
    let bound = 0;
    let impersonated = 0;
    let longestForeign = 0;
    await fc.assert(
      fc.asyncProperty(
        mostScopes,
        details,
        root,
        fc.array(hop, { minLength: 1, maxLength: 12 }),
        async (granted, held, foreignActors, hops) => {
          let token = rootToken(foreignActors, {
            scope: granted.join(' '),
            client_id: hops[0]!.clientId,
            authorization_details: held,
          });
          const { sub, txn = token.jti } = token;
          const foreign = (foreignActors ?? []).map((name) => ({ sub: name, iss: elsewhere }));
          const actors: { sub: string; iss?: string }[] = [...foreign];
          const lineage: string[] = [];
          for (const [index, at] of hops.entries()) {
            const { issued, asked, recorded } = await exchangeAt(token, at, hops[index + 1], index);
            const holdsKey = at.provesKey ? keyOf(at.clientId) : undefined;
            const { cnf, may_act: mayAct } = token as {
              cnf?: { jkt: string };
              may_act?: { sub: string; cnf?: { jkt: string } };
            };
            if (typeof issued === 'string') {
              expect(refusals).toContain(issued);
              // The chain goes on from where it was.
              continue;
            }
            // What was refused may have had many reasons; what was issued must have had none.
            if (cnf) expect([cnf.jkt, mayAct?.cnf?.jkt]).toContain(holdsKey);
            if (mayAct) expect(mayAct.sub).toBe(at.clientId);
            // RFC 8693 §1.1: as the person only who may, and only with a token that nobody else, no key and no other
            // issuer has a part in. It names nobody then, and policy and the audit log are told.
            const isPlain = token.iss === issuer && actors.length === 0 && !cnf && !mayAct;
            const isImpersonation = at.mayImpersonate && isPlain;
            expect(recorded.map(({ details: said }) => said?.['profile'])).toEqual([
              isImpersonation ? 'impersonation' : 'delegation',
            ]);
            const asAct = asked.filter(({ resource }) => resource.type === 'audience');
            const action = isImpersonation ? 'impersonate' : 'exchange';
            expect(asAct.map((evaluation) => evaluation.action.name)).toEqual([action]);
            expect(recorded[0]?.client).toBe(at.clientId);
            if (isImpersonation) impersonated += 1;
            else actors.unshift({ sub: at.clientId });
            lineage.push(token.jti);
            longest = Math.max(longest, actors.length);
            if (foreign.length > 0) longestForeign = Math.max(longestForeign, actors.length);

            const scopeOut = new ScopeSet(issued.scope.split(' '));
            const bounds = [token.scope.split(' '), at.ceiling, at.target, at.grant?.scopes ?? scopes];
            for (const each of bounds) expect(scopeOut.isSubsetOf(new ScopeSet(each))).toBe(true);
            const detailsOut = issued.authorization_details ?? [];
            for (const each of detailsOut) {
              expect(isWithinDetails(each, token.authorization_details ?? [])).toBe(true);
              expect(at.types).toContain(each.type);
              if (at.grant) expect(isWithinDetails(each, at.grant.details)).toBe(true);
            }
            const exps = [token.exp, now + at.lifetime, ...(at.grant ? [now + at.grant.lifetime] : [])];
            expect(issued.exp).toBe(Math.min(...exps));
            expect([issued.iss, issued.sub, issued.txn, issued.lineage]).toEqual([issuer, sub, txn, lineage]);
            expect(actorChain(issued.act)).toEqual(actors);
            // Actors of another issuer stay its own: by name they are none of ours, whatever they are called.
            const names = actorNames(issued.act);
            expect(names.slice(names.length - foreign.length)).toEqual(
              foreign.map((actor) => `${elsewhere}#${actor.sub}`),
            );
            expect(
              names.slice(0, names.length - foreign.length).every((name) => clientIds.includes(name)),
            ).toBe(true);
            expect(issued.client_id).toBe(at.clientId);
            expect(issued.cnf).toEqual(holdsKey === undefined ? undefined : { jkt: holdsKey });
            if (cnf) {
              expect(issued.cnf).toBeDefined();
              bound += 1;
            }
            expect(issued.delegations?.includes(`grant-${index}`) ?? false).toBe(at.grant !== undefined);
            token = issued;
          }
          expect(actors.length).toBeLessThanOrEqual(maxChainDepth);
        },
      ),
      { numRuns: 300, seed: 20261123 },
    );
    // Otherwise the above proves little.
    expect(longest).toBe(maxChainDepth);
    expect(bound).toBeGreaterThan(50);
    expect(impersonated).toBeGreaterThan(50);
    expect(longestForeign).toBe(maxChainDepth);
  });
});
