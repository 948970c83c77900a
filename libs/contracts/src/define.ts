import type { EventContract, RequestContract } from '@behalf/ports';
import type { z } from 'zod';

/** Subjects read `behalf.<owner>.<noun>.<verb>`. */
export function defineRequest<Q, A>(
  subject: string,
  request: z.ZodType<Q>,
  reply: z.ZodType<A>,
): RequestContract<Q, A> {
  return { subject, request, reply };
}

/** Event types read `behalf.<noun>.<past participle>`. */
export function defineEvent<T>(type: string, data: z.ZodType<T>): EventContract<T> {
  return { type, data };
}
