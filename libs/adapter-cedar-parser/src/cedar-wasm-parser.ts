import { type SplitPolicy, checkPolicyBundle, readPolicies } from '@behalf/adapter-cedar';
import type { ParsedPolicy, PolicyBundle, PolicyJson, PolicyParser, PolicyProblem } from '@behalf/policy';
import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs';

/** Names policies as the engines do. `parse` reports what `checkPolicyBundle` does, warnings included. */
export class CedarWasmParser implements PolicyParser {
  read(bundle: PolicyBundle): { policies: ParsedPolicy[]; problems: PolicyProblem[] } {
    const { policies, problems } = readPolicies(bundle);
    return { policies: policies.map(withAnnotations), problems };
  }

  parse(bundle: PolicyBundle): { policies: ParsedPolicy[]; problems: PolicyProblem[] } {
    const { policies, problems } = checkPolicyBundle(bundle);
    return { policies: policies.map(withAnnotations), problems };
  }
}

/** Integers beyond 2^53 stand as bigints in the JSON form, since a JavaScript number would round them. */
function withAnnotations({ id, file, effect, text, json }: SplitPolicy): ParsedPolicy {
  return {
    id,
    file,
    effect,
    text,
    annotations: annotationsOf(text, json),
    json: json as unknown as PolicyJson,
  };
}

/** They stand in the JSON form, too. If they do not, the text is read again: a condition must never get lost. */
function annotationsOf(text: string, json: object): Record<string, string> {
  let found = 'annotations' in json ? (json.annotations as Record<string, string | null>) : undefined;
  if (found === undefined) {
    const read = policyToJson(text);
    if (read.type === 'failure') throw new Error('a policy that was read cannot be read again');
    found = read.json.annotations ?? {};
  }
  // An annotation without a value, `@approval`, reads as empty text.
  return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, value ?? '']));
}
