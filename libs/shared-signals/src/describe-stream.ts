import type { StoredRecord } from '@behalf/ports';
import { transmittedEvents } from './event-types.js';
import { minVerificationSeconds } from './manage-streams.js';
import type { TransmitterDependencies } from './ports.js';
import { deliveryMethods, type StreamRecord } from './stream.js';

/** A stream as its receiver sees it. Its authorization header is told to nobody, not even to who set it. */
export function describeStream(
  { id, value }: StoredRecord<StreamRecord>,
  { issuer, baseUrl, receivers }: Pick<TransmitterDependencies, 'issuer' | 'baseUrl' | 'receivers'>,
): Record<string, unknown> {
  const { delivery, aud, eventsRequested, eventsDelivered, description } = value;
  const receiver = receivers.find(({ clientId }) => clientId === value.receiver);
  return {
    stream_id: id,
    iss: issuer,
    aud,
    events_supported: receiver?.events ?? [],
    events_requested: eventsRequested,
    events_delivered: eventsDelivered,
    delivery: {
      method: delivery.method,
      endpoint_url: delivery.method === deliveryMethods.push ? delivery.endpointUrl : `${baseUrl}/poll/${id}`,
    },
    min_verification_interval: minVerificationSeconds,
    ...(description !== undefined && { description }),
  };
}

/** @see SSF 1.0 §7.1 */
export function transmitterMetadata(
  {
    issuer,
    baseUrl,
    defaultSubjects,
  }: Pick<TransmitterDependencies, 'issuer' | 'baseUrl' | 'defaultSubjects'>,
  jwksUri: string,
): Record<string, unknown> {
  return {
    spec_version: '1_0',
    issuer,
    jwks_uri: jwksUri,
    delivery_methods_supported: Object.values(deliveryMethods),
    configuration_endpoint: `${baseUrl}/streams`,
    status_endpoint: `${baseUrl}/status`,
    add_subject_endpoint: `${baseUrl}/subjects/add`,
    remove_subject_endpoint: `${baseUrl}/subjects/remove`,
    verification_endpoint: `${baseUrl}/verify`,
    authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }],
    default_subjects: defaultSubjects,
    events_supported: transmittedEvents,
  };
}

export function describeStatus({ id, value }: StoredRecord<StreamRecord>): Record<string, unknown> {
  const { status, statusReason } = value;
  return { stream_id: id, status, ...(statusReason !== undefined && { reason: statusReason }) };
}
