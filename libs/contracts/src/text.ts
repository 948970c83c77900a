import { z } from 'zod';

/** Text that people read: no line breaks, no characters that change how the rest is shown. */
export function lineOfText(max: number): z.ZodType<string> {
  return z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'must be one line of plain text');
}

/** RFC 6749 §3.3 `scope-token`. */
export const scopeToken = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/);
