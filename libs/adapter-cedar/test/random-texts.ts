import type { Random } from './random.js';

/** Texts at the borders of what each extension type accepts, on both sides. */
const fixed = {
  decimal:
    '0.0 1.0 1.00 -0.5 -0.0 922337203685477.5807 922337203685477.5808 -922337203685477.5808 -922337203685477.5809 1 1. .5 +1.0 1.00000 1e1',
  datetime:
    '1970-01-01 0000-01-01 9999-12-31T23:59:59.999Z 2024-02-29 2023-02-29 2000-02-30 2024-01-01T00:00:00 2024-01-01Z 2024-1-1 10000-01-01 2024-01-01T00:00:60Z 1969-12-31T23:59:59.999Z',
  duration:
    '- 1d 1h1d -1d 1ms 0s -9223372036854775808ms 9223372036854775807ms 9223372036854775808ms -1500ms +1d 1D 1d1ms',
  ip: '127.0.0.1 10.0.0.0/8 10.1.2.3/8 10.1.2.3 0.0.0.0/0 224.0.0.1 ::1 :: ff02::1 ::/0 1.2.3 01.2.3.4 256.1.1.1 ::ffff:1.2.3.4 1::2::3 10.0.0.0/33 ::/129 10.0.0.0/08 1:2:3:4:5:6:7:: ::A 1.2.3.4/',
};
const plain = [
  '',
  'a',
  'b',
  'ab',
  'aab',
  'aXb',
  '*',
  'é',
  '😀',
  '\u{10FFFF}',
  '__proto__',
  'x y',
  'a"\\\n\0b',
  'T',
];
const quantities = ['0', '1', '25', '007', '106751991167', '9223372036854775807', '18446744073709551616'];

export type ExtensionName = keyof typeof fixed;

export function extensionText(random: Random, name: ExtensionName): string {
  return random.oneIn(2) ? random.pick(fixed[name].split(' ')) : composed[name](random);
}

export function anyText(random: Random): string {
  if (random.oneIn(4)) return extensionText(random, random.pick(['decimal', 'datetime', 'duration', 'ip']));
  if (random.oneIn(2)) return random.pick(plain);
  return random.some(8, () => random.pick(['a', 'b', '*', '\\', 'é', '😀'])).join('');
}

const composed: Record<ExtensionName, (random: Random) => string> = {
  decimal: (random) => `${random.pick(['', '-'])}${digits(random, 16)}.${digits(random, 5)}`,
  datetime(random) {
    const two = (limit: number) => String(random.below(limit)).padStart(2, '0');
    const date = `${two(100)}${two(100)}-${two(14)}-${two(33)}`;
    if (random.oneIn(4)) return date;
    const zone = random.pick([
      'Z',
      'Z',
      '',
      'z',
      '+2359',
      '-2359',
      '+0060',
      '-2400',
      `+${two(25)}30`,
      `-${two(25)}01`,
    ]);
    return `${date}T${two(25)}:${two(61)}:${two(61)}${random.pick(['', '.000', '.999', '.5'])}${zone}`;
  },
  duration: (random) =>
    random.pick(['', '-']) +
    ['d', 'h', 'm', 's', 'ms']
      .map((unit) => (random.oneIn(3) ? random.pick(quantities) + unit : ''))
      .join(''),
  ip(random) {
    const prefix = random.pick([
      '',
      '',
      '/0',
      '/4',
      '/8',
      '/31',
      '/32',
      '/33',
      '/64',
      '/128',
      '/129',
      '/+1',
      '/01',
    ]);
    if (random.oneIn(2)) return [1, 2, 3, 4].map(() => random.below(257)).join('.') + prefix;
    const groups = random.some(9, () =>
      random.pick(['0', '1', 'ff', 'FFFF', '0001', 'ff02', '12345', '', 'g', '2', '3']),
    );
    const cut = random.below(9);
    return groups.slice(0, cut).join(':') + random.pick([':', '::']) + groups.slice(cut).join(':') + prefix;
  },
};

function digits(random: Random, max: number): string {
  return random.some(max, () => random.pick(['0', '1', '5', '9'])).join('');
}

/** As it stands between quotes in a policy. */
export function quoted(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return `"${escaped.replaceAll('\n', '\\n').replaceAll('\0', '\\0')}"`;
}
