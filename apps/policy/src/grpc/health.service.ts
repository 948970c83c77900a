import type { sendUnaryData, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import type { Readiness } from '@behalf/service-kit';

const SERVING = 1;
const NOT_SERVING = 2;

/** The standard health service; it tells no more than `/readyz` does, and like that asks nobody who they are. */
export function healthHandlers(readiness: Readiness) {
  const answer = () => ({ status: readiness.waitingFor().length === 0 ? SERVING : NOT_SERVING });
  return {
    Check: (_call: ServerUnaryCall<unknown, unknown>, reply: sendUnaryData<object>) => reply(null, answer()),
    // One answer: whoever wants the next one asks again.
    Watch: (call: ServerWritableStream<unknown, object>) => {
      call.write(answer());
      call.end();
    },
  };
}
