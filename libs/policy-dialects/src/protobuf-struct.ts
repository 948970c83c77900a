import { UnmappableRequest } from './unmappable-request.js';

/** `google.protobuf.Value`, as protobuf libraries for JavaScript hold it. */
export interface ProtobufValue {
  nullValue?: unknown;
  numberValue?: number;
  stringValue?: string;
  boolValue?: boolean;
  structValue?: ProtobufStruct;
  listValue?: { values?: ProtobufValue[] };
}
export interface ProtobufStruct {
  fields?: Record<string, ProtobufValue>;
}

/** As deep as JSON bodies may be. */
const maxDepth = 64;

/**
 * The JSON object that a Struct holds, as strict as a JSON body would be: what has no JSON form (NaN), what a double
 * rounds (integers beyond 2^53), lone surrogates and deep nesting are refused.
 *
 * @throws UnmappableRequest `malformed`
 */
export function fromStruct(struct: ProtobufStruct | null | undefined, depth = 0): Record<string, unknown> {
  if (depth > maxDepth) throw new UnmappableRequest('malformed', 'nested too deeply');
  // fromEntries defines properties instead of assigning them, so `__proto__` stays an ordinary name.
  return Object.fromEntries(
    Object.entries(struct?.fields ?? {}).map(([name, value]) => [text(name), fromValue(value, depth + 1)]),
  );
}

/** The Struct of a JSON object; undefined members are left out. */
export function toStruct(object: object): ProtobufStruct {
  return {
    fields: Object.fromEntries(
      Object.entries(object).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, toValue(value)]],
      ),
    ),
  };
}

function fromValue(value: ProtobufValue, depth: number): unknown {
  if (depth > maxDepth) throw new UnmappableRequest('malformed', 'nested too deeply');
  if (value.structValue) return fromStruct(value.structValue, depth);
  if (value.listValue) return (value.listValue.values ?? []).map((item) => fromValue(item, depth + 1));
  if (typeof value.stringValue === 'string') return text(value.stringValue);
  if (typeof value.boolValue === 'boolean') return value.boolValue;
  if (typeof value.numberValue === 'number') return number(value.numberValue);
  return null;
}

function toValue(value: unknown): ProtobufValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { numberValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (Array.isArray(value)) return { listValue: { values: value.map(toValue) } };
  if (typeof value === 'object' && value !== null) return { structValue: toStruct(value) };
  return { nullValue: 0 };
}

function text(value: string): string {
  if (!value.isWellFormed()) throw new UnmappableRequest('malformed', 'contains a lone surrogate');
  return value;
}

function number(value: number): number {
  if (!Number.isFinite(value)) throw new UnmappableRequest('malformed', 'contains what is not a number');
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    throw new UnmappableRequest('malformed', 'contains an integer that a double rounds');
  return value;
}
