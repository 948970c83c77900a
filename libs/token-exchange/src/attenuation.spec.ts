import { type ActClaim, actorChain, maxChainDepth } from '@behalf/oauth';
import fc from 'fast-check';
import { exchangeFixture, gatewayResource, now, subjectClaims } from './exchange.fixture.js';
import type { RequestingClient, TokenClaims } from './ports.js';

const scopes = ['a', 'b', 'c', 'd'];
const hop = fc.record({
  clientId: fc.constantFrom('one', 'two', 'three'),
  ceiling: fc.subarray(scopes),
  target: fc.subarray(scopes),
  requested: fc.option(fc.subarray(scopes), { nil: undefined }),
  lifetime: fc.integer({ min: 1, max: 1000 }),
});

describe('any chain of exchanges', () => {
  it('only narrows scope and lifetime, never changes sub, and is exactly the sequence of its actors', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.subarray(scopes),
        fc.array(hop, { minLength: 1, maxLength: 7 }),
        async (granted, hops) => {
          let token: TokenClaims = subjectClaims({ scope: granted.join(' '), client_id: hops[0]!.clientId });
          const actors: string[] = [];
          for (const [index, { clientId, ceiling, target, requested, lifetime }] of hops.entries()) {
            const fixture = exchangeFixture({ subject: token });
            fixture.dependencies.findTarget = () => ({
              resource: gatewayResource,
              scopes: target,
              servedBy: ['one', 'two', 'three'],
            });
            fixture.dependencies.maxLifetimeSeconds = lifetime;
            fixture.dependencies.newId = () => `hop-${index}`;
            const client: RequestingClient = {
              clientId,
              isConfidential: true,
              ceiling: { audiences: ['*'], scopes: ceiling },
            };
            const issued = await fixture
              .issued(requested === undefined ? {} : { scope: requested.join(' ') }, client)
              .catch((error: { code: string }) => error.code);
            if (typeof issued === 'string') {
              expect(['invalid_scope', 'invalid_request']).toContain(issued);
              if (actors.length < maxChainDepth) expect(issued).toBe('invalid_scope');
              return;
            }
            actors.unshift(clientId);
            const before = new Set(token.scope.split(' '));
            expect(
              issued.scope
                .split(' ')
                .every((s) => before.has(s) && ceiling.includes(s) && target.includes(s)),
            ).toBe(true);
            expect(issued.exp).toBeLessThanOrEqual(Math.min(token.exp, now + lifetime));
            expect(issued.sub).toBe('alice');
            expect(issued.txn).toBe('txn-1');
            expect(actorChain(issued.act as ActClaim).map((actor) => actor.sub)).toEqual(actors);
            token = issued;
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
