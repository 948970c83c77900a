import { type ServerUnaryCall } from '@grpc/grpc-js';
import { tookTooLong, withinDeadline } from '@behalf/ports';
import { deadlineGraceMs } from '@behalf/service-kit';

/**
 * Answers a call in the time that a request may take, or in that which its caller waits (`grpc-timeout`), whichever is
 * shorter: then nothing more is begun for it, as for a request over HTTP. Who has set no time, or a longer one, is answered
 * a moment after ours, whatever the work still waits for.
 *
 * @throws OAuthError `temporarily_unavailable`, in gRPC `UNAVAILABLE`.
 */
export async function answerWithin<T>(
  timeoutMs: number,
  call: Pick<ServerUnaryCall<unknown, unknown>, 'getDeadline'>,
  work: () => Promise<T>,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(tookTooLong()), timeoutMs + deadlineGraceMs).unref();
  const callerMs = Number(call.getDeadline()) - Date.now();
  try {
    return await Promise.race([withinDeadline(Math.min(timeoutMs, callerMs), work), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
