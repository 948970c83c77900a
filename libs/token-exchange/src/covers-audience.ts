/** True when a ceiling names the resource. A `*` at the end stands for any rest; anywhere else it stands for itself. */
export function coversAudience(patterns: readonly string[], resource: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? resource.startsWith(pattern.slice(0, -1)) : pattern === resource,
  );
}
