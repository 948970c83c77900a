import { chainDescriber } from '@behalf/adapter-oidc-provider';
import { describeChain } from '@behalf/contracts';
import type { Bus, Subscription } from '@behalf/ports';
import type { ProviderHolder } from '../provider-holder.js';

/** Tells the elicitation service who began a chain and what its members call themselves. */
export function answerChains(bus: Bus, holder: Pick<ProviderHolder, 'current'>): Subscription {
  return bus.handle(describeChain, ({ grantId, clientId, actors }) =>
    chainDescriber(holder.current)({ grant_id: grantId, client_id: clientId }, actors),
  );
}
