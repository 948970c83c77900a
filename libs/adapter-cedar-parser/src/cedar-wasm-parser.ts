import { checkPolicyBundle } from '@behalf/adapter-cedar';
import type { ParsedPolicy, PolicyBundle, PolicyJson, PolicyParser, PolicyProblem } from '@behalf/policy';
import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs';

/** Reports what `checkPolicyBundle` does, warnings included, and names policies as the engines do. */
export class CedarWasmParser implements PolicyParser {
  parse(bundle: PolicyBundle): { policies: ParsedPolicy[]; problems: PolicyProblem[] } {
    const { policies, problems } = checkPolicyBundle(bundle);
    const parsed = policies.flatMap(({ id, file, effect, text }): ParsedPolicy[] => {
      const read = policyToJson(text);
      if (read.type === 'failure') return [];
      // An annotation without a value, `@approval`, reads as empty text.
      const annotations = Object.entries(read.json.annotations ?? {}).map(([name, value]) => [
        name,
        value ?? '',
      ]);
      return [
        {
          id,
          file,
          effect,
          text,
          annotations: Object.fromEntries(annotations),
          json: read.json as PolicyJson,
        },
      ];
    });
    return { policies: parsed, problems };
  }
}
