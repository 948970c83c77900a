import { SealingError } from './sealing-error.js';

/** The version stands first, so that one format can be told from the next. */
export const sealedVersions = ['behalf-sealed-1', 'behalf-sealed-2'] as const;

/** A sealed text in its parts. */
export interface SealedText {
  readonly version: (typeof sealedVersions)[number];
  /** The key-encryption key that its data key is wrapped under. */
  readonly keyId: string;
  /** Names the data key, whichever key it is wrapped under. In version 1 it is the key-encryption key's id. */
  readonly dataKeyId: string;
  readonly wrapped: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** @throws SealingError `malformed` */
export function parseSealedText(text: string): SealedText {
  const [version, keyId, ...parts] = text.split('.');
  const dataKeyId = version === 'behalf-sealed-1' ? keyId : parts.shift();
  const [wrapped, ciphertext, ...rest] = parts;
  if (!isVersion(version) || !keyId || !dataKeyId || !wrapped || !ciphertext || rest.length > 0)
    throw new SealingError('malformed');
  return {
    version,
    keyId,
    dataKeyId,
    wrapped: fromBase64url(wrapped),
    ciphertext: fromBase64url(ciphertext),
  };
}

/** Always in the newest version. */
export function formatSealedText({
  keyId,
  dataKeyId,
  wrapped,
  ciphertext,
}: Omit<SealedText, 'version'>): string {
  return ['behalf-sealed-2', keyId, dataKeyId, base64url(wrapped), base64url(ciphertext)].join('.');
}

function isVersion(text: string | undefined): text is SealedText['version'] {
  return (sealedVersions as readonly (string | undefined)[]).includes(text);
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

/** Node skips characters that are not base64url; a text must have one spelling only. */
function fromBase64url(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw new SealingError('malformed');
  return bytes;
}
