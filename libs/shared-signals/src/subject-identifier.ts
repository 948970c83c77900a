import { canonicalJson } from '@behalf/i-json';
import { z } from 'zod';

const text = z.string().min(1).max(2_000);

const simpleSubjectSchema = z.discriminatedUnion('format', [
  z.strictObject({ format: z.literal('account'), uri: text }),
  z.strictObject({ format: z.literal('email'), email: text }),
  z.strictObject({ format: z.literal('iss_sub'), iss: text, sub: text }),
  z.strictObject({ format: z.literal('opaque'), id: text }),
  z.strictObject({ format: z.literal('phone_number'), phone_number: text }),
  z.strictObject({ format: z.literal('did'), url: text }),
  z.strictObject({ format: z.literal('uri'), uri: text }),
  z.strictObject({ format: z.literal('jwt_id'), iss: text, jti: text }),
]);
export type SimpleSubject = z.output<typeof simpleSubjectSchema>;

const members = ['user', 'device', 'session', 'application', 'tenant', 'org_unit', 'group'] as const;
const complexSubjectSchema = z.strictObject({
  format: z.literal('complex'),
  ...(Object.fromEntries(members.map((name) => [name, simpleSubjectSchema.optional()])) as Record<
    (typeof members)[number],
    z.ZodOptional<typeof simpleSubjectSchema>
  >),
});
export type ComplexSubject = z.output<typeof complexSubjectSchema>;

/** Who or what a signal is about. @see RFC 9493 §3, SSF 1.0 §3 */
export const subjectSchema = z.union([simpleSubjectSchema, complexSubjectSchema]);
export type Subject = z.output<typeof subjectSchema>;

/**
 * True when a receiver that named the one is to hear of the other: simple ones are the same, complex ones agree in
 * every member that both have.
 *
 * @see SSF 1.0 §8.1.3.1
 */
export function subjectsMatch(one: Subject, other: Subject): boolean {
  if (one.format !== 'complex' || other.format !== 'complex')
    return canonicalJson(one) === canonicalJson(other);
  return members.every((name) => {
    const [mine, theirs] = [one[name], other[name]];
    return mine === undefined || theirs === undefined || canonicalJson(mine) === canonicalJson(theirs);
  });
}

/** The subject without the person; undefined when nothing else of it is left. */
export function withoutPerson(subject: Subject): Subject | undefined {
  if (subject.format === 'complex') {
    const { user: _user, ...rest } = subject;
    return Object.keys(rest).length > 1 ? rest : undefined;
  }
  return ['opaque', 'jwt_id', 'uri'].includes(subject.format) ? subject : undefined;
}
