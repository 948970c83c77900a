import { type ServiceAccess, serviceAccess } from '@behalf/contracts';
import { type Bus, BusError } from '@behalf/ports';
import { attributes, durationHistogram } from '@behalf/telemetry';

/** A service does on the bus what `serviceAccess` does not say. */
export class BusAccessError extends Error {
  override readonly name = 'BusAccessError';
}

/**
 * The bus as one service may use it. NATS enforces the same by the service's credentials; here it is enforced on every
 * bus, so that nothing works embedded that would be refused there. The caller closes the bus, not the service.
 */
export function allowedBus(service: string, bus: Bus): Bus {
  if (!Object.hasOwn(serviceAccess, service)) return bus;
  const { asks, answers, hears, publishesEvents } = serviceAccess[service as keyof typeof serviceAccess];
  const check = (isAllowed: boolean, what: keyof ServiceAccess, name: string): void => {
    if (!isAllowed) throw new BusAccessError(`${service} may not do this: ${what} ${name}`);
  };
  const duration = durationHistogram('behalf.bus.request.duration', 'Requests by subject, side and outcome');
  const measured = async <R>(side: 'ask' | 'answer', subject: string, work: () => Promise<R>): Promise<R> => {
    const began = performance.now();
    let outcome = 'ok';
    try {
      return await work();
    } catch (error) {
      outcome = error instanceof BusError ? error.reason : 'failed';
      throw error;
    } finally {
      duration.record((performance.now() - began) / 1000, {
        [attributes.serviceName]: service,
        side,
        subject,
        outcome,
      });
    }
  };
  const has = (subjects: readonly { subject: string }[], subject: string): boolean =>
    subjects.some((one) => one.subject === subject);
  return {
    request: async (contract, payload, options) => {
      check(has(asks, contract.subject), 'asks', contract.subject);
      return measured('ask', contract.subject, () => bus.request(contract, payload, options));
    },
    handle: (contract, handler) => {
      check(has(answers, contract.subject), 'answers', contract.subject);
      return bus.handle(contract, (payload) => measured('answer', contract.subject, () => handler(payload)));
    },
    publish: async (contract, envelope) => {
      check(publishesEvents, 'publishesEvents', contract.type);
      return bus.publish(contract, envelope);
    },
    publishInOrder: async (publications) => {
      check(publishesEvents, 'publishesEvents', publications[0]?.contract.type ?? '');
      return bus.publishInOrder(publications);
    },
    subscribe: (contract, listener) => {
      check(
        hears.some(({ type }) => type === contract.type),
        'hears',
        contract.type,
      );
      return bus.subscribe(contract, listener);
    },
    announced: () => bus.announced(),
    close: () => bus.close(),
  };
}
