// One set of rules in two languages: what Cedar and Cerbos are asked is the same, and the runs check that they agree.

const teams = 50;
const users = 500;

/** Ten policies a server: named tools for teams, small amounts for everybody, and teams that are shut out. */
export function workload(count) {
  const rules = Array.from({ length: count }, (_, index) => {
    const server = `server${Math.floor(index / 10)}`;
    const kind = index % 10;
    const team = `team${(index * 7) % teams}`;
    if (kind < 7) return { effect: 'permit', server, tool: `tool${kind}`, team };
    if (kind === 7) return { effect: 'permit', server, maxAmount: 100 };
    if (kind === 8) return { effect: 'forbid', server, team: `shut-out${index % teams}` };
    return { effect: 'forbid', server, tool: 'tool6', minAmount: 1000 };
  });
  return { rules, servers: Math.max(1, Math.floor(count / 10)) };
}

export const schema = `
entity User in [Team]; entity Team in [Team]; entity Agent { sub: String, client_id?: String, iss?: String };
entity McpServer; entity Tool in [McpServer] { name: String, server?: String };
action "tools/call" appliesTo { principal: [User], resource: [Tool], context: {
  actor?: Agent, actors: Set<Agent>, depth: Long, scope: Set<String>, aud: Set<String>,
  arguments: { amount?: Long } } };`;

export function toCedar({ effect, server, tool, team, maxAmount, minAmount }, index) {
  const principal = team === undefined ? 'principal is User' : `principal in Team::"${team}"`;
  const resource =
    tool === undefined ? `resource in McpServer::"${server}"` : `resource == Tool::"${server}/${tool}"`;
  const amount = 'context.arguments has amount && context.arguments.amount';
  const when =
    maxAmount !== undefined
      ? ` when { ${amount} <= ${maxAmount} }`
      : minAmount !== undefined
        ? ` when { ${amount} >= ${minAmount} }`
        : '';
  return `@id("p${index}") ${effect}(${principal}, action == Action::"tools/call", ${resource})${when};`;
}

/** Cerbos keeps one policy for a kind of resource, so a server is a kind and its rules are the policy's. */
export function toCerbos(server, rules) {
  const lines = rules.map(({ effect, tool, team, maxAmount, minAmount }) => {
    const terms = [
      ...(team === undefined ? [] : [`"${team}" in P.attr.groups`]),
      ...(tool === undefined ? [] : [`R.id == "${tool}"`]),
      ...(maxAmount === undefined ? [] : [`has(R.attr.amount) && R.attr.amount <= ${maxAmount}`]),
      ...(minAmount === undefined ? [] : [`has(R.attr.amount) && R.attr.amount >= ${minAmount}`]),
    ];
    return {
      actions: ['tools/call'],
      effect: effect === 'permit' ? 'EFFECT_ALLOW' : 'EFFECT_DENY',
      roles: ['*'],
      condition: { match: { expr: terms.join(' && ') } },
    };
  });
  return {
    apiVersion: 'api.cerbos.dev/v1',
    resourcePolicy: { resource: `tool_${server}`, version: 'default', rules: lines },
  };
}

/** The same calls for everybody: who calls which tool of which server with what amount. */
export function calls(servers, count) {
  return Array.from({ length: count }, (_, index) => {
    const user = (index * 37) % users;
    return {
      user: `user${user}`,
      groups: [`team${user % teams}`, `team${(user * 3) % teams}`, `shut-out${user % 97}`],
      server: `server${(index * 13) % servers}`,
      tool: `tool${index % 9}`,
      amount: (index * 53) % 1500,
    };
  });
}

/** A list: one person and many tools, over the servers in turn. */
export function listOf(servers, size) {
  const [first] = calls(servers, 1);
  return Array.from({ length: size }, (_, index) => ({
    ...first,
    server: `server${Math.floor(index / 10) % servers}`,
    tool: `tool${index % 10}`,
  }));
}

export function toCedarRequest({ user, groups, server, tool, amount }) {
  return {
    principal: { type: 'User', id: user },
    action: { type: 'Action', id: 'tools/call' },
    resource: { type: 'Tool', id: `${server}/${tool}` },
    context: { actors: [], depth: 0, scope: [], aud: [], arguments: { amount } },
    entities: [
      { uid: { type: 'User', id: user }, attrs: {}, parents: groups.map((id) => ({ type: 'Team', id })) },
      {
        uid: { type: 'Tool', id: `${server}/${tool}` },
        attrs: { name: tool, server },
        parents: [{ type: 'McpServer', id: server }],
      },
    ],
  };
}

export function toBehalfEvaluation({ user, groups, server, tool, amount }) {
  return {
    subject: { type: 'user', id: user, properties: { groups } },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: tool, properties: { server } },
    context: { arguments: { amount } },
  };
}

export function toCerbosEvaluation({ user, groups, server, tool, amount }) {
  return {
    subject: { type: 'user', id: user, properties: { groups } },
    action: { name: 'tools/call' },
    resource: { type: `tool_${server}`, id: tool, properties: { amount } },
  };
}
