import { type BehalfConfig, upstreamResource } from '@behalf/config';

/** Says on stdout what is where and what to try next. */
export function printWelcome(config: BehalfConfig, seconds: number): void {
  const { authorizationServer, policy, elicitation, gateway } = config;
  const upstreams = Object.keys(gateway.upstreams);
  const users = authorizationServer.signIn.method === 'local' ? authorizationServer.signIn.users : [];
  const example = upstreamResource(gateway, upstreams[0] ?? '');
  console.log(`
Behalf is ready after ${seconds.toFixed(1)} s.

  Authorization server  ${authorizationServer.issuer}
    who acts for you    ${authorizationServer.issuer}${authorizationServer.paths.account}
  Policy decisions      ${policy.publicUrl}
  Elicitation           ${elicitation.publicUrl}
  Gateway               ${gateway.publicUrl}
${upstreams.map((name) => `    ${name.padEnd(20)}${upstreamResource(gateway, name)}`).join('\n')}
${users.length === 0 ? '' : `\n  Sign in as ${users.map((user) => user.username).join(', ')}; the password of this demo is the name.\n`}
Try next, in another terminal:
  npm run demo
  npx @modelcontextprotocol/inspector --cli ${example} --method tools/list
  curl -i ${example}

Ctrl-C stops it; the data stays in ${config.dataFolder}.
`);
}
