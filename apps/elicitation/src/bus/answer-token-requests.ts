import { requestThirdPartyToken } from '@behalf/contracts';
import type { Bus, Clock, Subscription } from '@behalf/ports';
import type { ElicitationDesk } from '../elicitation-desk.js';

/** Answers the authorization server, which has asked the policy. */
export function answerTokenRequests(bus: Bus, desk: ElicitationDesk, clock: Clock): Subscription {
  return bus.handle(requestThirdPartyToken, async (request) => {
    const obtained = await desk.obtain(request);
    if (obtained.outcome === 'interaction_required') return obtained;
    const { accessToken, tokenType, expiresAtMs, scopes } = obtained.token;
    const expiresInSeconds =
      expiresAtMs === undefined ? undefined : Math.max(0, Math.floor((expiresAtMs - clock.nowMs()) / 1000));
    return { outcome: 'token' as const, accessToken, tokenType, expiresInSeconds, scopes: [...scopes] };
  });
}
