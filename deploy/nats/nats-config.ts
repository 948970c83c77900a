import { againSubject, eventStream, eventSubject, inboxPrefix } from '@behalf/adapter-nats';
import { type ServiceAccess, type ServiceName, serviceAccess, serviceNames } from '@behalf/contracts';

/** The gateway takes bodies of 4 MB, and policies see what is in them. */
const maxPayloadBytes = 8 * 1024 * 1024;

/**
 * The part of a nats-server configuration that says who may connect and what each may say and hear: nothing but its
 * requests, its events, and answers in its own inbox. Holds public keys only.
 */
export function natsConfig(publicKeys: Readonly<Record<ServiceName, string>>): string {
  const users = serviceNames.map((name) => ({
    nkey: publicKeys[name],
    permissions: permissionsOf(name, serviceAccess[name]),
  }));
  return [
    `max_payload: ${maxPayloadBytes}`,
    // A service that hangs is given up after this, so that its requests go to another replica.
    'ping_interval: "2s"',
    'ping_max: 2',
    `authorization: ${JSON.stringify({ users }, undefined, 2)}`,
    '',
  ].join('\n');
}

function permissionsOf(name: ServiceName, { answers, asks, hears, publishesEvents }: ServiceAccess) {
  const api = (what: string): string => `$JS.API.${what}.${eventStream.name}`;
  return {
    publish: {
      allow: [
        ...asks.map(({ subject }) => subject),
        ...asks.filter(({ repeatable }) => repeatable).map(({ subject }) => againSubject(subject)),
        api('STREAM.INFO'),
        ...hears.map(({ type }) => `${api('CONSUMER.CREATE')}.*.${eventSubject(type)}`),
        `${api('CONSUMER.MSG.NEXT')}.*`,
        ...(publishesEvents ? [...eventStream.subjects, api('STREAM.CREATE')] : []),
      ],
    },
    subscribe: {
      // Only in the queue group of the replicas, but for what is asked of all of them: nobody else listens in.
      allow: [
        ...answers.map(({ subject }) => `${subject} behalf`),
        ...answers.filter(({ repeatable }) => repeatable).map(({ subject }) => againSubject(subject)),
        `${inboxPrefix(name)}.>`,
      ],
    },
    ...(answers.length > 0 && { allow_responses: { max: 1, expires: '1m' } }),
  };
}
