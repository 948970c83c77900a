import {
  McpError,
  isJsonObject,
  isModernVersion,
  mcpErrorCodes,
  metaKeys,
  modernVersions,
} from '@behalf/mcp';
import type { Clock } from '@behalf/ports';
import type { ExchangedToken } from './token-exchanger.js';
import { readUpstreamText } from './upstream-answer.js';
import type { UpstreamHttp } from './upstream-http.js';

const verdictMs = 300_000;
const maxProbeBytes = 1024 * 1024;

/**
 * Finds out whether an upstream speaks the modern era, by the `server/discover` that every modern server answers, with
 * the token of the first caller who needs to know. The verdict is kept for a few minutes.
 *
 * @see MCP 2026-07-28, basic/versioning, "Backward Compatibility"
 */
export class EraProbe {
  #verdict: { era: 'modern' | 'legacy'; untilMs: number } | undefined;

  constructor(
    private readonly http: UpstreamHttp,
    private readonly clock: Clock,
  ) {}

  /** @throws McpError when the upstream does not say */
  async era(token: ExchangedToken | undefined, signal: AbortSignal): Promise<'modern' | 'legacy'> {
    if (this.#verdict && this.#verdict.untilMs > this.clock.nowMs()) return this.#verdict.era;
    const era = await this.#ask(token, signal);
    this.#verdict = { era, untilMs: this.clock.nowMs() + verdictMs };
    return era;
  }

  async #ask(token: ExchangedToken | undefined, signal: AbortSignal): Promise<'modern' | 'legacy'> {
    const [version] = modernVersions;
    const { statusCode, body } = await this.http.send({
      httpMethod: 'POST',
      message: {
        kind: 'request',
        id: 0,
        method: 'server/discover',
        params: { _meta: { [metaKeys.protocolVersion]: version, [metaKeys.clientCapabilities]: {} } },
      },
      token,
      headers: { 'mcp-protocol-version': version, 'mcp-method': 'server/discover' },
      signal,
    });
    const text = await readUpstreamText(body, maxProbeBytes);
    // Only a refusal of the message says something about the era; a refused token or a failure does not.
    if (statusCode === 401 || statusCode === 403 || statusCode === 429 || statusCode >= 500)
      throw new McpError(
        mcpErrorCodes.internalError,
        'The server behind the gateway refused to say what it is',
        {
          status: statusCode >= 500 || statusCode === 429 ? 503 : 502,
          retryAfterSeconds: 2,
        },
      );
    return statusCode === 200 && namesModernVersion(text) ? 'modern' : 'legacy';
  }
}

function namesModernVersion(text: string): boolean {
  const json = /^data: ?(\{.*\})$/m.exec(text)?.[1] ?? text;
  try {
    const message: unknown = JSON.parse(json);
    const result = isJsonObject(message) ? message['result'] : undefined;
    const versions = isJsonObject(result) ? result['supportedVersions'] : undefined;
    return Array.isArray(versions) && versions.some((v) => typeof v === 'string' && isModernVersion(v));
  } catch {
    return false;
  }
}
