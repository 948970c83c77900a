import { connect } from 'node:net';
import { describeWith } from '@behalf/testing';
import { type LocalServer, startNats, startPostgres, startRedis } from './index.js';

/** True when somebody accepts connections there. */
async function answers({ port }: LocalServer): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

const servers = { 'nats-server': startNats, 'redis-server': startRedis, postgres: startPostgres } as const;

for (const program of Object.keys(servers) as (keyof typeof servers)[]) {
  describeWith(program)(program, () => {
    it('can be killed, restarted empty and ended', async () => {
      const server = await servers[program]();
      expect(await answers(server)).toBe(true);
      await server.process.kill();
      expect(await answers(server)).toBe(false);
      await server.process.start();
      await server.restartEmpty();
      expect(await answers(server)).toBe(true);
      await server.close();
      expect(await answers(server)).toBe(false);
    });
  });
}
