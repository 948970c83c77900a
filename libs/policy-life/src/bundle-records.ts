import type { RecordKind } from '@behalf/ports';
import { z } from 'zod';
import { bundleFilesSchema } from './bundle-files.js';

const bundleRecordSchema = z.object({
  files: bundleFilesSchema,
  author: z.string(),
  reason: z.string(),
  createdAtMs: z.number().int(),
});
export type BundleRecord = z.infer<typeof bundleRecordSchema>;

/** Every bundle that was ever published, by its version. Never changed, never deleted. */
export const bundles: RecordKind<BundleRecord> = { name: 'policy-bundle', schema: bundleRecordSchema };

const activePolicySchema = z.object({
  version: z.string(),
  /** Grows with every activation. */
  sequence: z.number().int().positive(),
});
export type ActivePolicy = z.infer<typeof activePolicySchema>;

/** Two records: `live` decides, `shadow` is compared with it. */
export const activePolicies: RecordKind<ActivePolicy> = { name: 'policy-active', schema: activePolicySchema };

const activationSchema = z.object({
  version: z.string(),
  /** What decided before; absent with the first. */
  replaced: z.string().optional(),
  act: z.enum(['seed', 'publish', 'roll-back']),
  author: z.string(),
  reason: z.string(),
  activatedAtMs: z.number().int(),
});
export type Activation = z.infer<typeof activationSchema>;

/** Who made which bundle decide, when and why; ids grow. */
export const activations: RecordKind<Activation> = { name: 'policy-activation', schema: activationSchema };

export function activationId(sequence: number): string {
  return String(sequence).padStart(12, '0');
}
