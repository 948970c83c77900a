// Loaded into a process before its program: its clock is off by as many milliseconds as its file says. Timers run on.
import { openSync, readSync } from 'node:fs';

const file = openSync(process.env.BEHALF_TEST_CLOCK, 'r');
const text = Buffer.alloc(32);
const RealDate = Date;
const now = () =>
  RealDate.now() + Number(text.toString('latin1', 0, readSync(file, text, 0, text.length, 0)));

globalThis.Date = new Proxy(RealDate, {
  construct: (target, parts, made) => Reflect.construct(target, parts.length === 0 ? [now()] : parts, made),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});
