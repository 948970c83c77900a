import { z } from 'zod';

/**
 * The `cnf` claim in the two forms that are understood here: the thumbprint of a DPoP key (`jkt`), of a client
 * certificate (`x5t#S256`), or both. A claim in another form, or with anything beside these, is not a weaker
 * binding: nobody here can check it, so it does not parse.
 *
 * @see RFC 7800 §3.1, RFC 9449 §6.1, RFC 8705 §3.1
 */
export const confirmationSchema = z
  .strictObject({ jkt: z.string().min(1).optional(), 'x5t#S256': z.string().min(1).optional() })
  .refine((cnf) => cnf.jkt !== undefined || cnf['x5t#S256'] !== undefined);
export type Confirmation = z.output<typeof confirmationSchema>;

/**
 * True when every key that the claim names was proven. Thumbprints are public, so they are compared as they are.
 * Does not check the proof itself.
 */
export function isProvenBy(cnf: Confirmation, proof: Confirmation | undefined): boolean {
  return (
    proof !== undefined &&
    (cnf.jkt === undefined || cnf.jkt === proof.jkt) &&
    (cnf['x5t#S256'] === undefined || cnf['x5t#S256'] === proof['x5t#S256'])
  );
}
