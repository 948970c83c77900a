import { visit } from 'jsonc-parser';

export interface IJsonLimits {
  maxBytes: number;
  maxDepth: number;
}

export class IJsonError extends Error {
  override readonly name = 'IJsonError';
  constructor(
    readonly problem:
      | 'too_large'
      | 'not_utf8'
      | 'not_json'
      | 'too_deep'
      | 'duplicate_key'
      | 'unsafe_number'
      | 'lone_surrogate',
  ) {
    super(`JSON refused: ${problem}`);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses a body as I-JSON: UTF-8 without a byte order mark, no duplicate keys, no integer beyond 2^53, no lone
 * surrogate, bounded in size and depth. The attack is a message that the policy reads one way and the upstream another.
 *
 * @throws IJsonError
 * @see RFC 7493 §2
 */
export function parseIJson(body: Uint8Array, limits: IJsonLimits): unknown {
  if (body.byteLength > limits.maxBytes) throw new IJsonError('too_large');
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    throw new IJsonError('not_utf8');
  }
  checkStructure(text, limits.maxDepth);
  try {
    return JSON.parse(text);
  } catch {
    throw new IJsonError('not_json');
  }
}

/** Walks the text once; the visitor is recursive, so depth is checked as it descends, before the stack can run out. */
function checkStructure(text: string, maxDepth: number): void {
  const open: Set<string>[] = [];
  const enter = (): void => {
    open.push(new Set());
    if (open.length > maxDepth) throw new IJsonError('too_deep');
  };
  const leave = (): void => void open.pop();
  visit(
    text,
    {
      onObjectBegin: enter,
      onArrayBegin: enter,
      onObjectEnd: leave,
      onArrayEnd: leave,
      onObjectProperty: (name) => {
        const names = open.at(-1);
        if (names?.has(name)) throw new IJsonError('duplicate_key');
        if (!name.isWellFormed()) throw new IJsonError('lone_surrogate');
        names?.add(name);
      },
      onLiteralValue: (value: unknown) => {
        if (typeof value === 'string' && !value.isWellFormed()) throw new IJsonError('lone_surrogate');
        // Number.isInteger would let 1e21 pass as a float and 9007199254740993 pass as 9007199254740992.
        if (
          typeof value === 'number' &&
          (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
        ) {
          throw new IJsonError('unsafe_number');
        }
      },
      onError: () => {
        throw new IJsonError('not_json');
      },
    },
    { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false },
  );
}
