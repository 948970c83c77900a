import type { DetailedError } from '@cedar-policy/cedar-wasm/nodejs';

/** One line for an operator: what is wrong, where in the text, and Cedar's hint. For bundles only, not for requests. */
export function describeCedarError(error: DetailedError, text?: string): string {
  const at = error.sourceLocations?.[0];
  const line = at && text !== undefined ? ` (line ${text.slice(0, at.start).split('\n').length})` : '';
  const label = at?.label ? `; ${at.label}` : '';
  const help = error.help ? `; ${error.help}` : '';
  return `${error.message}${line}${label}${help}`;
}
