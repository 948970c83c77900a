import { UsageError } from './parse-command.js';
import { runCommand } from './run-command.js';

describe('runCommand', () => {
  it.each([[['--help']], [['-h']], [['teleport', '--help']]])('%j shows every group', async (args) => {
    const { output, failed } = await runCommand(args, {});
    for (const group of ['agents', 'grants', 'explain', 'policy', 'vault', 'audit', 'chain'])
      expect(output).toMatch(new RegExp(`^ +${group} `, 'm'));
    expect(failed).toBe(false);
  });

  it.each(['agents', 'grants', 'explain', 'policy', 'vault', 'audit', 'chain'])(
    '%s --help shows how it is used, and asks nobody',
    async (group) => {
      const { output, failed } = await runCommand([group, 'list', '--help'], {});
      expect(output).toMatch(new RegExp(`^behalf ${group} `));
      expect(failed).toBe(false);
    },
  );

  it.each([[[]], [['teleport']], [['constructor']], [['chain', '--', '--help', 'x']]])(
    'refuses the command line %j',
    (args) => expect((async () => runCommand(args, {}))()).rejects.toThrow(UsageError),
  );
});
