import type { EventContract, RequestContract } from '@behalf/ports';
import { z } from 'zod';
import type { ServiceName } from './service-access.js';

/** Subjects read `behalf.<owner>.<noun>.<verb>`. */
export function defineRequest<Q, A>(
  subject: string,
  request: RequestContract<Q, A>['request'],
  reply: RequestContract<Q, A>['reply'],
  more: Pick<RequestContract<Q, A>, 'repeatable'> = {},
): RequestContract<Q, A> {
  return { subject, request, reply, ...more };
}

/** An event with what those who build on it have to know. */
export interface DescribedEvent<T> extends EventContract<T> {
  /** The service whose change it tells. */
  readonly from: ServiceName;
  /** What has happened, in a sentence. */
  readonly tells: string;
}

/** Event types read `behalf.<noun>.<past participle>`. */
export function defineEvent<T>(
  type: string,
  data: z.ZodType<T>,
  described: Omit<DescribedEvent<T>, 'type' | 'data'>,
): DescribedEvent<T> {
  return { type, data, ...described };
}

/** A field that says something of a person, who can be found by it. The catalogue of events marks it. */
export function personal<T extends z.ZodType>(schema: T): T {
  return schema.meta({ ...schema.meta(), personal: true });
}
