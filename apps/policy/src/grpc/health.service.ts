import type { sendUnaryData, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import type { ServiceHealth } from '@behalf/service-kit';

const SERVING = 1;
const NOT_SERVING = 2;

/** The standard health service; it tells no more than `/readyz` does, and like that asks nobody who they are. */
export function healthHandlers(health: Pick<ServiceHealth, 'look'>) {
  const answer = async () => ({
    status: (await health.look()).waitingFor.length === 0 ? SERVING : NOT_SERVING,
  });
  return {
    Check: async (_call: ServerUnaryCall<unknown, unknown>, reply: sendUnaryData<object>) =>
      reply(null, await answer()),
    // One answer: whoever wants the next one asks again.
    Watch: async (call: ServerWritableStream<unknown, object>) => {
      call.write(await answer());
      call.end();
    },
  };
}
