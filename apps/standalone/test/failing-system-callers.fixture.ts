import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { askForDecision } from '@behalf/testing';
import pg from 'pg';
import { browse } from './browse.fixture.js';
import { driveFiles } from './drive-files.fixture.js';
import type { FailingSystem, Guarded } from './failing-system.fixture.js';
import { refusedInside, statusWithin } from './fault-table.fixture.js';
import { goThrough } from './go-through.fixture.js';
import { callTool } from './mcp-request.fixture.js';
import { authorizationRequest, formOf, metadataClientId, redeem, signIn } from './oauth-client.fixture.js';

/** Whatever is broken, a caller has an answer in this time, and the system is whole again in the other. */
export const answerWithinMs = 20_000;
const recoverWithinMs = 60_000;
export const revokedWithinMs = 20_000;

/** What the callers of one service ask it themselves, beside those of the gateway. */
interface Asked {
  permitted: () => Promise<number>;
  /** 200 is a wrong allow. */
  denied: () => Promise<number>;
}

/** Those who use a system that fails: alice may, bob may not, and carol signs in. */
export class Callers {
  /** Calls of their own services. */
  readonly asking: Record<Guarded, Asked> = {
    policy: {
      permitted: () => this.#decisionFor('alice', { tool: 'whoami', server: 'whoami' }),
      denied: () => this.#decisionFor('bob', { tool: 'write_file', server: 'files' }),
    },
    elicitation: {
      permitted: () => this.#filesFor(this.forwardedFor.alice),
      // He has connected nothing.
      denied: () => this.#filesFor(this.forwardedFor.bob),
    },
  };

  private constructor(
    private readonly failing: FailingSystem,
    private readonly alice: string,
    private readonly bob: string,
    private readonly forwardedFor: { alice: string; bob: string },
  ) {}

  /** Alice has connected the third party, too. */
  static async signIn(failing: FailingSystem): Promise<Callers> {
    const { system } = failing;
    const tokenFor = async (username: string, resource: string, more = {}): Promise<string> =>
      (await signIn(system, { username, resource, ...more })).access_token;
    const { publicUrl, paths } = system.config.elicitation;
    const forDrive = (username: string): Promise<string> =>
      tokenFor(username, `${publicUrl}${paths.forward}/drive`, { clientId: 'demo-client' });
    const callers = new Callers(
      failing,
      await tokenFor('alice', system.mcpUrl('whoami')),
      await tokenFor('bob', system.mcpUrl('files'), { scope: 'mcp:tools files:write' }),
      { alice: await forDrive('alice'), bob: await forDrive('bob') },
    );
    const asked = await driveFiles(system, callers.forwardedFor.alice);
    await goThrough(((await asked.json()) as { interaction_uri: string }).interaction_uri, 'alice');
    return callers;
  }

  async tokenOf(username: string): Promise<string> {
    const { system } = this.failing;
    return (await signIn(system, { username, resource: system.mcpUrl('whoami') })).access_token;
  }

  /** Whether bob got through: the file that he may not write is there. */
  hasWritten(): boolean {
    return existsSync(join(this.failing.system.config.dataFolder, 'files', 'forbidden.txt'));
  }

  /** What alice may do: 200 where it was done. A refusal in the answer of a protocol that knows none in its status is `refusedInside`. */
  permitted(token = this.alice): Promise<number> {
    const call = callTool(this.failing.system.mcpUrl('whoami'), 'whoami', {}, { token });
    return this.statusOf(
      call.then(({ status, body }) => {
        const isDone = body?.result?.structuredContent?.sub === 'alice';
        return { status: status === 200 && !isDone ? refusedInside : status };
      }),
    );
  }

  /** What bob may not do, whatever happens. */
  denied(): Promise<number> {
    const file = { path: 'forbidden.txt', content: 'written' };
    return this.statusOf(
      callTool(this.failing.system.mcpUrl('files'), 'write_file', file, { token: this.bob }),
    );
  }

  /** Resolves when a call is served again, and a person can sign in: with a token of theirs. */
  async recovered(): Promise<string> {
    const until = performance.now() + recoverWithinMs;
    for (;;) {
      const status = await this.permitted();
      const token = status === 200 ? await this.tokenOf('alice').catch(() => undefined) : undefined;
      if (token !== undefined) return token;
      if (performance.now() > until) throw new Error(`the system does not recover: ${status}`);
      await setTimeout(100);
    }
  }

  /** Resolves when a service serves its own callers again. */
  async servedAgain(part: Guarded): Promise<void> {
    const until = performance.now() + recoverWithinMs;
    const { permitted: ask } = this.asking[part];
    for (let status = await ask(); status !== 200; status = await ask()) {
      if (performance.now() > until) throw new Error(`its own callers are not served again: ${status}`);
      await setTimeout(100);
    }
  }

  revoke(token: string): Promise<Response> {
    const { issuer, config } = this.failing.system;
    return fetch(`${issuer}${config.authorizationServer.paths.revocation}`, {
      method: 'POST',
      body: formOf({ token, client_id: metadataClientId }),
    });
  }

  /** Whether every replica refuses it, within the time that a gateway goes on without being told that it missed nothing. */
  async isRevokedEverywhere(token: string): Promise<boolean> {
    const until = performance.now() + revokedWithinMs;
    while (performance.now() < until) {
      const statuses = await Promise.all(Array.from({ length: 6 }, () => this.permitted(token)));
      if (statuses.every((status) => status === 401)) return true;
      await setTimeout(100);
    }
    return false;
  }

  /** A code, and an attempt to use it. It is carol's: whoever uses one twice loses what was issued for it. */
  async oneCode(): Promise<() => Promise<number>> {
    const resource = this.failing.system.mcpUrl('whoami');
    const { url, verifier } = authorizationRequest(this.failing.system, { resource });
    const code = (await browse(url, 'carol')).searchParams.get('code');
    return () => this.statusOf(redeem(this.failing.system, { code, verifier, resource }));
  }

  /** How many records the audit log has. */
  async recordCount(): Promise<number> {
    const client = new pg.Client({ connectionString: this.failing.serverOf('postgres').url });
    await client.connect();
    try {
      const { rows } = await client.query(
        'select (select size from audit_head) + (select count(*) from audit_waiting) as records',
      );
      return Number(rows[0].records);
    } finally {
      await client.end();
    }
  }

  /** 200 for whoever got the files. */
  async #filesFor(token: string): Promise<number> {
    const call = driveFiles(this.failing.system, token).then(async (answer) => {
      const hasFiles = (await answer.text()).includes('@drive');
      return { status: answer.status === 200 && !hasFiles ? refusedInside : answer.status };
    });
    return this.statusOf(call);
  }

  /** 200 for a decision that permits. */
  async #decisionFor(person: string, toolCall: { tool: string; server: string }): Promise<number> {
    const { publicUrl } = this.failing.system.config.policy;
    const call = askForDecision(publicUrl, person, toolCall).then(async (answer) => {
      const isPermitted = ((await answer.json()) as { decision?: unknown }).decision === true;
      return { status: answer.status === 200 && !isPermitted ? refusedInside : answer.status };
    });
    return this.statusOf(call);
  }

  statusOf(call: Promise<{ status: number }>): Promise<number> {
    return statusWithin(call, answerWithinMs);
  }
}
