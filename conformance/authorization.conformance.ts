import { signInAndConsent } from '@behalf/headless-browser';
import { freePort } from '@behalf/testing';
import {
  type DemoSystem,
  startDemoSystem,
  startTimeoutMs,
} from '../apps/standalone/test/demo-system.fixture.js';
import { runSuite } from './run-suite.js';

/** The suite prints where a person should go, and waits for them at its own redirect URI. */
const authorizeUrl = /^(https?:\/\/\S+[?&]response_type=code\S*)\s*$/m;

describe('MCP authorization server conformance', () => {
  let system: DemoSystem;
  beforeAll(async () => {
    system = await startDemoSystem();
  }, startTimeoutMs);
  afterAll(() => system.close());

  it.each(['2026-07-28', '2025-11-25'])('%s: metadata and authorization code grant', async (specVersion) => {
    const port = await freePort();
    const redirectUri = `http://127.0.0.1:${port}/callback`;
    let isSigningIn = false;
    const { code, output } = await runSuite(
      [
        'authorization',
        `--url=${system.issuer}`,
        `--client-id=${system.config.authorizationServer.clientIdMetadata.pinned[0]?.url}`,
        `--resource=${system.mcpUrl('everything')}`,
        `--spec-version=${specVersion}`,
        '-p',
        String(port),
      ],
      (printed) => {
        const url = authorizeUrl.exec(printed)?.[1];
        if (url === undefined || isSigningIn) return;
        isSigningIn = true;
        void signInAndConsent(url, {
          username: 'alice',
          stopAt: (address) => address.href.startsWith(redirectUri),
        }).then((answer) => fetch(answer));
      },
    );
    process.stdout.write(`${output.slice(Math.max(0, output.lastIndexOf('=== SUMMARY'))).trim()}\n`);
    expect(code === 0 ? '' : output).toBe('');
    expect(isSigningIn).toBe(true);
    expect(output).not.toMatch(/WARNING|FAILURE/);
  });
});
