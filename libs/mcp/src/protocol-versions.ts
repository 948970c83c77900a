/** Revisions without a session: every request says everything (`_meta` envelope, routing headers). */
export const modernVersions = ['2026-07-28'] as const;
/**
 * Revisions that begin with `initialize`, the newest first. The oldest is here for clients (SDK up to 1.10) that speak
 * streamable HTTP and still call it that; its own HTTP+SSE transport is not served.
 */
export const legacyVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;
export const supportedVersions: readonly string[] = [...modernVersions, ...legacyVersions];

/** What a request without a version header speaks. @see MCP 2025-06-18, transports, "Protocol Version Header" */
export const assumedLegacyVersion = '2025-03-26';

/** Whether a revision is of the stateless era. Revisions are dates, so later ones that nobody knows yet count too. */
export function isModernVersion(version: string): boolean {
  return version >= modernVersions[0];
}

/** The revision to answer an `initialize` with: the one asked for, or our newest. @see MCP 2025-11-25, lifecycle */
export function negotiateLegacyVersion(requested: unknown): string {
  return legacyVersions.find((version) => version === requested) ?? legacyVersions[0];
}
