import { againSubject, eventStreams, eventSubject, inboxPrefix } from '@behalf/adapter-nats';
import {
  type ServiceAccess,
  listenerAccess,
  listenerNames,
  serviceAccess,
  serviceNames,
} from '@behalf/contracts';
import type { KeyOwner } from './service-keys.js';

/** The gateway takes bodies of 4 MB, and policies see what is in them. */
const maxPayloadBytes = 8 * 1024 * 1024;

/**
 * The part of a nats-server configuration that says who may connect and what each may say and hear: nothing but its
 * requests, its events, and answers in its own inbox. Holds public keys only.
 */
export function natsConfig(publicKeys: Readonly<Record<KeyOwner, string>>): string {
  const users = [
    ...serviceNames.map((name) => ({
      nkey: publicKeys[name],
      permissions: permissionsOf(name, serviceAccess[name]),
    })),
    ...listenerNames.map((name) => ({
      nkey: publicKeys[name],
      permissions: permissionsOf(name, {
        answers: [],
        asks: [],
        hears: listenerAccess[name].hears,
        publishesEvents: false,
      }),
    })),
  ];
  return [
    `max_payload: ${maxPayloadBytes}`,
    // A service that hangs is given up after this, so that its requests go to another replica.
    'ping_interval: "2s"',
    'ping_max: 2',
    `authorization: ${JSON.stringify({ users }, undefined, 2)}`,
    '',
  ].join('\n');
}

function permissionsOf(name: KeyOwner, { answers, asks, hears, publishesEvents }: ServiceAccess) {
  const heard = new Set(hears.map(({ stream = 'changes' }) => stream));
  const streams = Object.values(eventStreams);
  return {
    publish: {
      allow: [
        ...asks.map(({ subject }) => subject),
        ...asks.filter(({ repeatable }) => repeatable).map(({ subject }) => againSubject(subject)),
        ...[...heard].flatMap((stream) => [
          `$JS.API.STREAM.INFO.${eventStreams[stream].name}`,
          `$JS.API.CONSUMER.MSG.NEXT.${eventStreams[stream].name}.*`,
        ]),
        ...hears.map(
          (event) =>
            `$JS.API.CONSUMER.CREATE.${eventStreams[event.stream ?? 'changes'].name}.*.${eventSubject(event)}`,
        ),
        ...(publishesEvents
          ? [
              ...streams.flatMap(({ name: stream, subjects }) => [
                ...subjects,
                `$JS.API.STREAM.CREATE.${stream}`,
              ]),
              // Whoever goes on after a crash looks how far it was.
              ...['INFO', 'MSG.GET'].map((verb) => `$JS.API.STREAM.${verb}.${eventStreams.activity.name}`),
            ]
          : []),
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
