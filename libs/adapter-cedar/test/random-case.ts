import type { CedarEntity, CedarRequest, CedarValue, EntityUid } from '@behalf/policy';
import { RandomExpression, types, uids } from './random-expression.js';
import { anyText } from './random-texts.js';
import { Random } from './random.js';

export interface Template {
  text: string;
  slots: Record<string, EntityUid>;
}
export type TaggedEntity = CedarEntity & { tags?: Record<string, CedarValue> };
/** A set of policies and of entities, and requests to ask of them. */
export interface Case {
  policies: string[];
  templates: Template[];
  bundleEntities: TaggedEntity[];
  requests: CedarRequest[];
}

const actions = ['Action::"read"', 'Action::"write"', 'Action::"all"', 'NS::Action::"read"'];
/** Parents stand later in the list, so that nothing is within itself. */
const entityNames = [
  ...uids.slice(0, 2),
  'Doc::"d"',
  'NS::Thing::"x"',
  'Team::"t1"',
  'Team::"t2"',
  ...actions.slice(0, 3),
];
const extensionValues: CedarValue[] = [
  { __extn: { fn: 'decimal', arg: '1.50' } },
  { __extn: { fn: 'ip', arg: '10.1.2.3/8' } },
  { __extn: { fn: 'datetime', arg: '2024-02-29' } },
  { __extn: { fn: 'duration', arg: '-1d12h' } },
];

export function randomCase(seed: number): Case {
  const random = new Random(seed);
  const make = new CaseParts(random);
  return {
    policies: random.some(8, () => make.policy(), 1),
    templates: random.some(2, () => make.template()),
    bundleEntities: make.entities(),
    requests: random.some(12, () => make.request(), 1),
  };
}

class CaseParts {
  constructor(private readonly random: Random) {}

  policy(): string {
    return `${this.#effect()}(principal${this.#scope()}, action${this.#actionScope()}, resource${this.#scope()})${this.#conditions()};`;
  }

  template(): Template {
    const { random } = this;
    const slots: Template['slots'] = {};
    const withSlot = (variable: string): string => {
      slots[`?${variable}`] = uidOf(random.pick(uids));
      return `${variable}${random.pick([' == ?', ' in ?', ' is User in ?', ' is Doc in ?'])}${variable}`;
    };
    const which = random.below(3);
    const principal = which < 2 ? withSlot('principal') : `principal${this.#scope()}`;
    const resource = which > 0 ? withSlot('resource') : `resource${this.#scope()}`;
    return {
      text: `${this.#effect()}(${principal}, action${this.#actionScope()}, ${resource})${this.#conditions()};`,
      slots,
    };
  }

  request(): CedarRequest {
    const { random } = this;
    return {
      principal: uidOf(random.pick(['User::"a"', 'User::"a"', ...uids])),
      action: uidOf(random.pick([...actions, 'Action::"read"', 'Action::"other"'])),
      resource: uidOf(random.pick(['Doc::"d"', 'Doc::"d"', ...uids])),
      context: this.#attributes(),
      entities: this.entities(),
    };
  }

  entities(): TaggedEntity[] {
    const { random } = this;
    return entityNames.flatMap((name, index): TaggedEntity[] => {
      if (!random.oneIn(3)) return [];
      const parents = random
        .some(3, () => random.below(entityNames.length))
        .filter((parent) => parent > index);
      return [
        {
          uid: uidOf(name),
          attrs: this.#attributes(),
          parents: parents.map((parent) => uidOf(entityNames[parent]!)),
          ...(random.oneIn(2) && { tags: this.#attributes() }),
        },
      ];
    });
  }

  #effect(): string {
    return this.random.pick(['permit', 'permit', 'forbid']);
  }

  #scope(): string {
    const { random } = this;
    const within = ` in ${random.pick(uids)}`;
    const type = ` is ${random.pick(types)}`;
    return random.pick(['', '', '', ` == ${random.pick(uids)}`, within, type, type + within]);
  }

  #actionScope(): string {
    const { random } = this;
    const many = random.some(3, () => random.pick(actions));
    return random.pick([
      '',
      '',
      '',
      ` == ${random.pick(actions)}`,
      ` in ${random.pick(actions)}`,
      ` in [${many.join(', ')}]`,
    ]);
  }

  #conditions(): string {
    const { random } = this;
    const expression = new RandomExpression(random);
    return random
      .some(
        2,
        () =>
          `${random.pick([' when', ' when', ' unless'])} { ${expression.of('bool', 1 + random.below(4))} }`,
      )
      .join('');
  }

  /** Attributes that expressions look for, mostly of the type they expect. */
  #attributes(): Record<string, CedarValue> {
    const { random } = this;
    const typed: Record<string, () => CedarValue> = {
      n: () => random.pick([0, 1, 2, -1, 60, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]),
      s: () => anyText(random),
      e: () => ({ __entity: uidOf(random.pick(uids)) }),
      a: () => random.some(random.oneIn(5) ? 10 : 3, () => this.#value(1)),
      b: () => random.oneIn(2),
      r: () => (random.oneIn(4) ? this.#attributes() : { a: 1, b: { r: this.#value(0) } }),
      x: () => random.pick(extensionValues),
      'x y': () => this.#value(1),
      ['__proto__']: () => 1,
    };
    const entries = Object.entries(typed).filter(() => random.oneIn(2));
    return Object.fromEntries(
      entries.map(([name, make]) => [name, random.oneIn(8) ? this.#value(2) : make()]),
    );
  }

  #value(depth: number): CedarValue {
    const { random } = this;
    if (depth > 0 && random.oneIn(4)) return random.some(4, () => this.#value(depth - 1));
    if (depth > 0 && random.oneIn(4)) {
      const members = random.some(
        3,
        () => [random.pick(['a', 'b', 'r', 'type', 'id']), this.#value(depth - 1)] as const,
      );
      return Object.fromEntries(members);
    }
    return random.pick<() => CedarValue>([
      () => random.oneIn(2),
      () => random.pick([0, 1, 2, -1, 3]),
      () => anyText(random),
      () => ({ __entity: uidOf(random.pick(uids)) }),
      () => random.pick(extensionValues),
    ])();
  }
}

function uidOf(text: string): EntityUid {
  const at = text.lastIndexOf('::');
  return { type: text.slice(0, at), id: JSON.parse(text.slice(at + 2)) as string };
}
