import { anyText, extensionText, quoted } from './random-texts.js';
import type { Random } from './random.js';

export const uids = [
  'User::"a"',
  'User::"b"',
  'Team::"t1"',
  'Team::"t2"',
  'Doc::"d"',
  'NS::Thing::"x"',
  'User::"nobody"',
  'Action::"read"',
];
export const types = ['User', 'Team', 'Doc', 'NS::Thing', 'Action'];
const names = ['a', 'b', 'n', 's', 'e', 'r', 'x', 'x y'];

const valueTypes = [
  'bool',
  'long',
  'string',
  'entity',
  'set',
  'record',
  'decimal',
  'ip',
  'datetime',
  'duration',
] as const;
export type ValueType = (typeof valueTypes)[number];

const longs = [
  '0',
  '1',
  '-1',
  '2',
  '3',
  '60',
  '-7',
  '9007199254740991',
  '9007199254740993',
  '-9007199254740993',
];
const edges = [
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775806',
  '3037000500',
  '4611686018427387904',
];
const order = ['<', '<=', '>', '>=', '==', '!='];

/**
 * Writes expressions in Cedar's text form: every operator and function, over a fixed handful of entities and
 * attributes, so that what is looked for is often there and often not. Mostly of the type that is asked for, sometimes
 * of another, so that every type error happens, too.
 */
export class RandomExpression {
  constructor(private readonly random: Random) {}

  of(type: ValueType, depth: number): string {
    const { random } = this;
    const actual = random.oneIn(14) ? random.pick(valueTypes) : type;
    if (depth > 0 && random.oneIn(12)) {
      const [test, then, other] = [
        this.of('bool', depth - 1),
        this.of(actual, depth - 1),
        this.of(actual, depth - 1),
      ];
      return `(if ${test} then ${then} else ${other})`;
    }
    if (random.oneIn(8)) return this.#attribute(actual, depth);
    return depth > 0 && !random.oneIn(5) ? this.#operation(actual, depth - 1) : this.#leaf(actual);
  }

  #any(depth: number): string {
    return this.of(this.random.pick(valueTypes), depth);
  }

  #leaf(type: ValueType): string {
    const { random } = this;
    switch (type) {
      case 'bool':
        return random.pick(['true', 'false', 'context.b', 'principal.b']);
      case 'long':
        return `(${random.pick(random.oneIn(4) ? edges : [...longs, 'context.n', 'resource.n'])})`;
      case 'string':
        return random.oneIn(4) ? random.pick(['context.s', 'principal.s']) : quoted(anyText(random));
      case 'entity':
        return random.pick([
          'principal',
          'action',
          'resource',
          'principal',
          'resource',
          'context.e',
          ...uids,
        ]);
      case 'set':
        return random.pick([
          '[]',
          'context.a',
          'resource.a',
          '[1, 2]',
          '["a", "b"]',
          '[principal, resource]',
        ]);
      case 'record':
        return random.pick([
          'context',
          'context.r',
          '{}',
          '{"a": 1}',
          '{"__entity": {"type": "User", "id": "a"}}',
        ]);
      default:
        return `${type}(${quoted(extensionText(random, type))})`;
    }
  }

  #attribute(type: ValueType, depth: number): string {
    const { random } = this;
    const own: Partial<Record<ValueType, string>> = {
      bool: 'b',
      long: 'n',
      string: 's',
      entity: 'e',
      set: 'a',
      record: 'r',
    };
    const name = random.oneIn(3) ? random.pick(names) : (own[type] ?? 'x');
    const holder =
      depth > 0 && random.oneIn(5)
        ? this.of('entity', depth - 1)
        : random.pick(['context', 'principal', 'resource', 'context.r']);
    return name === 'x y' ? `(${holder})["x y"]` : `(${holder}).${name}`;
  }

  #operation(type: ValueType, depth: number): string {
    const { random } = this;
    switch (type) {
      case 'bool':
        return this.#test(depth);
      case 'long':
        if (random.oneIn(5)) return `(-(${this.of('long', depth)}))`;
        if (random.oneIn(3))
          return this.#call(
            'duration',
            random.pick(['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays']),
            [],
            depth,
          );
        return this.#infix('long', ['+', '-', '*'], depth);
      case 'string':
        return this.#call('entity', 'getTag', ['string'], depth);
      case 'set': {
        const item = random.oneIn(3) ? undefined : random.pick(valueTypes);
        const items = random.some(random.oneIn(4) ? 12 : 4, () =>
          item === undefined ? this.#any(depth - 1) : this.of(item, depth - 1),
        );
        return `[${items.join(', ')}]`;
      }
      case 'record':
        return `{"${random.pick(names)}": ${this.#any(depth)}, "z": ${this.#any(depth)}}`;
      case 'datetime':
        if (random.oneIn(2)) return this.#leaf(type);
        return random.oneIn(2)
          ? this.#call(type, 'offset', ['duration'], depth)
          : this.#call(type, 'toDate', [], depth);
      case 'duration':
        if (random.oneIn(2)) return this.#leaf(type);
        return random.oneIn(2)
          ? this.#call('datetime', 'durationSince', ['datetime'], depth)
          : this.#call('datetime', 'toTime', [], depth);
      case 'decimal':
      case 'ip':
        return random.oneIn(4) ? `${type}(${this.of('string', depth)})` : this.#leaf(type);
      default:
        return this.#leaf(type);
    }
  }

  #test(depth: number): string {
    const { random } = this;
    const entity = () => this.of('entity', depth);
    return random.pick([
      () => this.#infix('bool', ['&&', '||'], depth),
      () => this.#infix('bool', ['&&', '||'], depth),
      () => `(!(${this.of('bool', depth)}))`,
      () => this.#infix(random.pick(['long', 'datetime', 'duration', 'decimal']), order, depth),
      () => this.#infix(random.pick(valueTypes), ['==', '!='], depth),
      () => `(${this.#any(depth)} == ${this.#any(depth)})`,
      () => `(${entity()} in ${random.oneIn(3) ? this.of('set', depth) : entity()})`,
      () => `(${entity()} in [${random.some(3, entity).join(', ')}])`,
      () => `(${entity()} is ${random.pick(types)}${random.oneIn(2) ? ` in ${entity()}` : ''})`,
      () =>
        `((${random.oneIn(4) ? this.#any(depth) : random.pick(['context', 'context.r', 'principal', 'resource'])}) has ${this.#path()})`,
      () => `(${this.of('string', depth)} like ${this.#pattern()})`,
      () => this.#call('set', random.pick(['containsAll', 'containsAny']), ['set'], depth),
      () => `(${this.of('set', depth)}).contains(${this.#any(depth)})`,
      () => this.#call('set', 'isEmpty', [], depth),
      () => this.#call('entity', 'hasTag', ['string'], depth),
      () =>
        this.#call(
          'decimal',
          random.pick(['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual']),
          ['decimal'],
          depth,
        ),
      () => this.#call('ip', random.pick(['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast']), [], depth),
      () => this.#call('ip', 'isInRange', ['ip'], depth),
    ])();
  }

  #infix(type: ValueType, operators: string[], depth: number): string {
    return `(${this.of(type, depth)} ${this.random.pick(operators)} ${this.of(type, depth)})`;
  }

  #call(on: ValueType, method: string, args: ValueType[], depth: number): string {
    return `(${this.of(on, depth)}).${method}(${args.map((type) => this.of(type, depth)).join(', ')})`;
  }

  #path(): string {
    const { random } = this;
    if (random.oneIn(3)) return random.some(3, () => random.pick(['a', 'b', 'r', 'e']), 2).join('.');
    const name = random.pick(names);
    return name === 'x y' ? '"x y"' : name;
  }

  #pattern(): string {
    const parts = this.random.some(6, () =>
      this.random.pick(['*', '*', 'a', 'b', 'ab', '\\*', 'é', '😀', '\\n', '\\"']),
    );
    return `"${parts.join('')}"`;
  }
}
