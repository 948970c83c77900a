import { type KeyObject, createPublicKey, hash, sign, verify } from 'node:crypto';

/** Of a C2SP note: plain Ed25519, and the timestamped statement of a witness. */
const kinds = { log: 0x01, witness: 0x04 } as const;
type Kind = keyof typeof kinds;

/** A key by its name, as verifiers are given it. @see c2sp.org/signed-note */
export interface NoteVerifier {
  name: string;
  kind: Kind;
  key: KeyObject;
}

const spki = Buffer.from('302a300506032b6570032100', 'hex');

function rawKey(key: KeyObject): Buffer {
  return createPublicKey(key.export({ format: 'pem', type: key.type === 'private' ? 'pkcs8' : 'spki' }))
    .export({ format: 'der', type: 'spki' })
    .subarray(spki.length);
}

function keyId(name: string, kind: Kind, raw: Uint8Array): Buffer {
  return hash(
    'sha256',
    Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(kinds[kind]), raw]),
    'buffer',
  ).subarray(0, 4);
}

/** `<name>+<hash>+<key>`: how a verifier key is handed on. */
export function formatVerifier({ name, kind, key }: NoteVerifier): string {
  const raw = rawKey(key);
  const encoded = Buffer.concat([Buffer.of(kinds[kind]), raw]).toString('base64');
  return `${name}+${keyId(name, kind, raw).toString('hex')}+${encoded}`;
}

/** @throws Error for what is no verifier key, or not one that its hash says it is */
export function parseVerifier(text: string): NoteVerifier {
  const [, name = '', hashed, encoded = ''] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  const kind = (Object.keys(kinds) as Kind[]).find((one) => kinds[one] === bytes[0]);
  const raw = bytes.subarray(1);
  if (kind === undefined || raw.length !== 32 || keyId(name, kind, raw).toString('hex') !== hashed)
    throw new Error('this is no verifier key');
  const key = createPublicKey({ key: Buffer.concat([spki, raw]), format: 'der', type: 'spki' });
  return { name, kind, key };
}

/** One signature line under a note. A witness also says when it saw the note. */
export function signNote(
  text: string,
  { name, kind, privateKey }: { name: string; kind: Kind; privateKey: KeyObject },
  nowSeconds = 0,
): string {
  const time = kind === 'witness' ? Buffer.alloc(8) : Buffer.alloc(0);
  if (kind === 'witness') time.writeBigUInt64BE(BigInt(nowSeconds));
  const signature = sign(null, statement(text, kind, time), privateKey);
  const bytes = Buffer.concat([keyId(name, kind, rawKey(privateKey)), time, signature]);
  return `\u2014 ${name} ${bytes.toString('base64')}\n`;
}

export interface OpenedNote {
  text: string;
  /** The names of those whose signature is good. */
  signers: string[];
}

/**
 * Opens a note and says whose signatures under it hold. Lines of keys that are not among the verifiers are passed over.
 *
 * @throws Error when it is no note, or a signature of a known key is wrong
 * @see c2sp.org/signed-note
 */
export function openNote(note: string, verifiers: readonly NoteVerifier[]): OpenedNote {
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) throw new Error('this is no signed note');
  const text = note.slice(0, end + 1);
  const signers: string[] = [];
  for (const line of note.slice(end + 2, -1).split('\n')) {
    const [, name = '', encoded = ''] = /^\u2014 (\S+) ([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? [];
    if (name === '') throw new Error('this is no signature line');
    const bytes = Buffer.from(encoded, 'base64');
    if (bytes.toString('base64') !== encoded) throw new Error('this is no signature line');
    for (const verifier of verifiers) {
      const { kind, key } = verifier;
      if (verifier.name !== name || !keyId(name, kind, rawKey(key)).equals(bytes.subarray(0, 4))) continue;
      const time = bytes.subarray(4, kind === 'witness' ? 12 : 4);
      if (!verify(null, statement(text, kind, time), key, bytes.subarray(4 + time.length)))
        throw new Error(`the signature of ${name} is wrong`);
      signers.push(name);
    }
  }
  return { text, signers };
}

/** @see c2sp.org/tlog-cosignature */
function statement(text: string, kind: Kind, time: Buffer): Buffer {
  if (kind === 'log') return Buffer.from(text);
  if (time.length !== 8) throw new Error('this is no cosignature');
  return Buffer.from(`cosignature/v1\ntime ${time.readBigUInt64BE()}\n${text}`);
}
