import { healthHandlers } from './health.service.js';

it.each([
  [[], 1],
  [['postgres'], 2],
])('says over gRPC what /readyz says: waiting for %j is %i', async (waitingFor, status) => {
  const { Check } = healthHandlers({ look: async () => ({ waitingFor, away: ['redis'] }) });
  const answered = await new Promise((resolve) => void Check({} as never, (_error, value) => resolve(value)));
  expect(answered).toEqual({ status });
});
